-- name:    rollup/trends/forget_noted
-- purpose: Delete notes on minutes that were recounted, or that are too old to be.
-- grain:   one row per slice and minute
-- reads:   touched_minutes
-- writes:  touched_minutes
-- params:  slice_id bigint, from_minute datetime, to_minute datetime

-- Merges of repins commit in the order of their slices, so a note that the refresh has not seen has a higher slice_id.
DELETE FROM touched_minutes
WHERE
    slice_id <= %(slice_id)s
    AND minute >= %(from_minute)s
    AND minute < %(to_minute)s

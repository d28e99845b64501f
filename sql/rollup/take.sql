-- name:    rollup/take
-- purpose: Remove increments that the rollups have taken in from the queue.
-- grain:   one row per slice and part
-- reads:   nothing
-- writes:  rollup_increments
-- params:  slice_id bigint, part int
DELETE FROM rollup_increments
WHERE
    slice_id = %(slice_id)s
    AND part = %(part)s

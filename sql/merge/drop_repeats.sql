-- name:    merge/drop_repeats
-- purpose: Delete the notes on repeats of slices whose staged rows are removed.
-- grain:   one row per staged row
-- reads:   nothing
-- writes:  staged_repeats
-- params:  slice_ids list of bigint
DELETE FROM staged_repeats
WHERE slice_id IN %(slice_ids)s

-- name:    merge/drop_repeats
-- purpose: Forget the repeats of slices that have no staged rows any more.
-- grain:   one row per staged row
-- reads:   nothing
-- writes:  staged_repeats
-- params:  slice_ids list of bigint
DELETE FROM staged_repeats
WHERE slice_id IN %(slice_ids)s

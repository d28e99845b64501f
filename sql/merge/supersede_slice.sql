-- name:    merge/supersede_slice
-- purpose: Mark one attempt superseded, unless it is merged.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  slice_id bigint
UPDATE merge_slices
SET state = 'superseded'
WHERE
    slice_id = %(slice_id)s
    AND state <> 'merged'

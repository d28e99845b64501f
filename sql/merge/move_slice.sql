-- name:    merge/move_slice
-- purpose: Compare-and-set a slice's state, and store the reason.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  slice_id bigint, state_before varchar, state_after varchar, detail text
UPDATE merge_slices
SET
    state = %(state_after)s,
    detail = %(detail)s
WHERE
    slice_id = %(slice_id)s
    AND state = %(state_before)s

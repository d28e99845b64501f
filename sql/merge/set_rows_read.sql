-- name:    merge/set_rows_read
-- purpose: Record the number of changes that a slice has staged.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  slice_id bigint, rows_read bigint
UPDATE merge_slices
SET rows_read = %(rows_read)s
WHERE slice_id = %(slice_id)s

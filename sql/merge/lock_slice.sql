-- name:    merge/lock_slice
-- purpose: One slice, locked until the transaction ends.
-- grain:   one row per slice
-- reads:   merge_slices
-- writes:  nothing
-- params:  slice_id bigint
SELECT
    slice_id,
    table_name,
    from_version,
    to_version,
    state,
    rows_read,
    quarantined,
    progress,
    detail
FROM merge_slices
WHERE slice_id = %(slice_id)s
FOR UPDATE

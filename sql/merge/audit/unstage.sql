-- name:    merge/audit/unstage
-- purpose: Remove quarantined rows from the slice.
-- grain:   one row per staged change
-- reads:   nothing
-- writes:  staging_$table
-- params:  slice_id bigint, row_nums list of bigint
-- names:   table
DELETE FROM staging_$table
WHERE
    slice_id = %(slice_id)s
    AND row_num IN %(row_nums)s

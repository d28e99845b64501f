-- name:    merge/unstage_unused
-- purpose: Delete staged rows that do not reach the reporting table: spare deliveries, deletes and overtaken changes.
-- grain:   one row per staged row
-- reads:   merge_plan
-- writes:  staging_$table
-- params:  slice_id bigint
-- names:   table
DELETE staged FROM staging_$table AS staged
INNER JOIN merge_plan AS planned ON staged.row_num = planned.row_num
WHERE
    staged.slice_id = %(slice_id)s
    AND planned.action <> 'update'

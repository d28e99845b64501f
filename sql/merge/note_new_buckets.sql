-- name:    merge/note_new_buckets
-- purpose: Note the rollup buckets that new and changed rows are in.
-- grain:   one row per bucket
-- reads:   merge_plan, staging_$table
-- writes:  touched_rows
-- params:  slice_id bigint
-- names:   table
INSERT INTO touched_rows (
    brand_id,
    category,
    pin_id,
    country_code,
    occurred_hour
)
SELECT DISTINCT
    staged.brand_id,
    staged.category,
    staged.pin_id,
    staged.country_code,
    staged.occurred_hour
FROM merge_plan AS planned
INNER JOIN staging_$table AS staged
    ON planned.row_num = staged.row_num AND staged.slice_id = %(slice_id)s
WHERE planned.action IN ('insert', 'update')

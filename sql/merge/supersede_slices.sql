-- name:    merge/supersede_slices
-- purpose: Mark earlier attempts at a table superseded, so that a late run can't merge them.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  table_name varchar
UPDATE merge_slices
SET state = 'superseded'
WHERE
    table_name = %(table_name)s
    AND state IN ('staging', 'staged')

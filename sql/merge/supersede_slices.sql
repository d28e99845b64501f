-- name:    merge/supersede_slices
-- purpose: Mark a table's waiting slices superseded, because its shards have changed: they are prepared anew.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  table_name varchar
UPDATE merge_slices
SET state = 'superseded'
WHERE
    table_name = %(table_name)s
    AND state IN ('held', 'accepted')

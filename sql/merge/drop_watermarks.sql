-- name:    merge/drop_watermarks
-- purpose: Delete the watermarks of a table's shards after their number has changed.
-- grain:   one row per shard
-- reads:   nothing
-- writes:  merge_shards
-- params:  table_name varchar, shards int
DELETE FROM merge_shards
WHERE
    table_name = %(table_name)s
    AND shards <> %(shards)s

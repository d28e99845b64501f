-- name:    merge/watermarks
-- purpose: The newest merged lake version of each shard of a table.
-- grain:   one row per shard
-- reads:   merge_shards
-- writes:  nothing
-- params:  table_name varchar
SELECT
    shard,
    shards,
    version
FROM merge_shards
WHERE table_name = %(table_name)s

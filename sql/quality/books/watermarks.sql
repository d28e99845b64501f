-- name:    quality/books/watermarks
-- purpose: How far each shard of a table is.
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
ORDER BY shard

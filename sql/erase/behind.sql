-- name:    erase/behind
-- purpose: The shards that have not passed a version of the lake.
-- grain:   one row per shard
-- reads:   merge_shards
-- writes:  nothing
-- params:  version bigint
SELECT
    table_name,
    shard,
    version
FROM merge_shards
WHERE version < %(version)s
ORDER BY
    table_name,
    shard

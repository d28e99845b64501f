-- name:    operate/doctor/shards
-- purpose: The lake version up to which each shard of each table is merged.
-- grain:   one row per shard
-- reads:   merge_shards
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    shard,
    shards,
    version
FROM merge_shards
ORDER BY
    table_name ASC,
    shard ASC

-- name:    merge/lock_watermark
-- purpose: The newest merged lake version of a shard, locked until the transaction ends.
-- grain:   one row
-- reads:   merge_shards
-- writes:  nothing
-- params:  table_name varchar, shard int, shards int
SELECT version
FROM merge_shards
WHERE
    table_name = %(table_name)s
    AND shard = %(shard)s
    AND shards = %(shards)s
FOR UPDATE

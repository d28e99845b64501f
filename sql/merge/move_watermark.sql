-- name:    merge/move_watermark
-- purpose: Compare-and-set a shard's watermark: changes no row if another run has moved it.
-- grain:   one row per shard
-- reads:   nothing
-- writes:  merge_shards
-- params:  table_name varchar, shard int, shards int, from_version bigint, to_version bigint
UPDATE merge_shards
SET version = %(to_version)s
WHERE
    table_name = %(table_name)s
    AND shard = %(shard)s
    AND shards = %(shards)s
    AND version = %(from_version)s

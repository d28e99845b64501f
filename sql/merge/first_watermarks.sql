-- name:    merge/first_watermarks
-- purpose: Insert a shard's first watermark; a no-op if another run has inserted it.
-- grain:   one row per shard
-- reads:   nothing
-- writes:  merge_shards
-- params:  table_name varchar, shard int, shards int, version bigint
INSERT IGNORE INTO merge_shards (
    table_name,
    shard,
    shards,
    version
)
VALUES (
    %(table_name)s,
    %(shard)s,
    %(shards)s,
    %(version)s
)

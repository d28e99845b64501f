-- name:    merge/rebuild/set_watermarks
-- purpose: Let all shards of a table follow the feed from the version that it was rebuilt from.
-- grain:   one row per shard
-- reads:   nothing
-- writes:  merge_shards
-- params:  table_name varchar, version bigint
UPDATE merge_shards
SET version = %(version)s
WHERE table_name = %(table_name)s

-- name:    merge/drop_progress
-- purpose: Delete the progress of a table's shards after their number has changed.
-- grain:   one row per shard and Kafka partition
-- reads:   nothing
-- writes:  shard_progress
-- params:  table_name varchar
DELETE FROM shard_progress
WHERE table_name = %(table_name)s

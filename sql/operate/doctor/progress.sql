-- name:    operate/doctor/progress
-- purpose: What each shard, and the rollups, are complete through.
-- grain:   one row per shard and Kafka partition
-- reads:   shard_progress
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    shard,
    kafka_partition,
    next_offset
FROM shard_progress

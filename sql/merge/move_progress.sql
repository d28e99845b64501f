-- name:    merge/move_progress
-- purpose: Record how far a shard of a table is complete in one Kafka partition; it never decreases.
-- grain:   one row per shard and Kafka partition
-- reads:   nothing
-- writes:  shard_progress
-- params:  table_name varchar, shard int, kafka_partition int, next_offset bigint, kafka_timestamp datetime(6)
INSERT INTO shard_progress (
    table_name,
    shard,
    kafka_partition,
    next_offset,
    kafka_timestamp
)
VALUES (
    %(table_name)s,
    %(shard)s,
    %(kafka_partition)s,
    %(next_offset)s,
    %(kafka_timestamp)s
)
ON DUPLICATE KEY UPDATE
    next_offset = GREATEST(next_offset, VALUES (next_offset)),
    kafka_timestamp = GREATEST(COALESCE(kafka_timestamp, VALUES (kafka_timestamp)), VALUES (kafka_timestamp))

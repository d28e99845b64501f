-- name:    merge/move_offset
-- purpose: Record that a shard of a table is past offsets without any record; a no-op if the partition is new.
-- grain:   one row per shard and Kafka partition
-- reads:   nothing
-- writes:  shard_progress
-- params:  table_name varchar, shard int, kafka_partition int, next_offset bigint
UPDATE shard_progress
SET next_offset = GREATEST(next_offset, %(next_offset)s)
WHERE
    table_name = %(table_name)s
    AND shard = %(shard)s
    AND kafka_partition = %(kafka_partition)s

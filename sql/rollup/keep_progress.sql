-- name:    rollup/keep_progress
-- purpose: If the queue is empty, advance the rollups' progress to the tables': slices without rows are never queued.
-- grain:   one row per Kafka partition
-- reads:   rollup_increments, stale_days, table_progress
-- writes:  shard_progress
-- params:  table_names list of varchar, tables int, rollups varchar
INSERT INTO shard_progress (
    table_name,
    shard,
    kafka_partition,
    next_offset,
    kafka_timestamp
)
SELECT
    %(rollups)s AS table_name,
    0 AS shard,
    reached.kafka_partition,
    reached.next_offset,
    reached.kafka_timestamp
FROM (
    SELECT
        kafka_partition,
        MIN(next_offset) AS next_offset,
        MIN(kafka_timestamp) AS kafka_timestamp
    FROM table_progress
    WHERE table_name IN %(table_names)s
    GROUP BY kafka_partition
    HAVING COUNT(*) = %(tables)s
) AS reached
WHERE
    NOT EXISTS (
        SELECT 1
        FROM rollup_increments
    )
    AND NOT EXISTS (
        SELECT 1
        FROM stale_days
    )
ON DUPLICATE KEY UPDATE
    next_offset = VALUES (next_offset),
    kafka_timestamp = VALUES (kafka_timestamp)

-- name:    rollup/keep_progress
-- purpose: If the queue is empty, advance the rollups' progress to the tables': slices without rows are never queued.
-- grain:   one row per Kafka partition
-- reads:   rollup_queue
-- writes:  merge_progress
-- params:  table_names list of varchar, tables int, rollups varchar
INSERT INTO merge_progress (
    table_name,
    kafka_partition,
    next_offset,
    kafka_timestamp
)
SELECT
    %(rollups)s AS table_name,
    reached.kafka_partition,
    reached.next_offset,
    reached.kafka_timestamp
FROM (
    SELECT
        kafka_partition,
        MIN(next_offset) AS next_offset,
        MIN(kafka_timestamp) AS kafka_timestamp
    FROM merge_progress
    WHERE table_name IN %(table_names)s
    GROUP BY kafka_partition
    HAVING COUNT(*) = %(tables)s
) AS reached
WHERE
    NOT EXISTS (
        SELECT 1
        FROM rollup_queue
    )
ON DUPLICATE KEY UPDATE
    next_offset = VALUES (next_offset),
    kafka_timestamp = VALUES (kafka_timestamp)

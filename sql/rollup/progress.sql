-- name:    rollup/progress
-- purpose: The tables' common progress: the rollups reach it once the current queue is applied.
-- grain:   one row per Kafka partition
-- reads:   table_progress
-- writes:  nothing
-- params:  table_names list of varchar, tables int
SELECT
    kafka_partition,
    MIN(next_offset) AS next_offset,
    MIN(kafka_timestamp) AS kafka_timestamp
FROM table_progress
WHERE table_name IN %(table_names)s
GROUP BY kafka_partition
HAVING COUNT(*) = %(tables)s

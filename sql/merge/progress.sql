-- name:    merge/progress
-- purpose: What a table is complete through.
-- grain:   one row per Kafka partition
-- reads:   table_progress
-- writes:  nothing
-- params:  table_name varchar
SELECT
    kafka_partition,
    next_offset,
    kafka_timestamp
FROM table_progress
WHERE table_name = %(table_name)s

-- name:    reports/progress
-- purpose: The progress of the tables that a brand's numbers are counted from.
-- grain:   one row per table and Kafka partition
-- reads:   table_progress
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    kafka_partition,
    next_offset,
    kafka_timestamp
FROM table_progress
WHERE table_name IN ('pins', 'repins', 'comments')

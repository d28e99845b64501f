-- name:    reports/progress
-- purpose: How far the tables that a brand's numbers are counted from have come, per Kafka partition.
-- grain:   one row per table and Kafka partition
-- reads:   merge_progress
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    kafka_partition,
    next_offset,
    kafka_timestamp
FROM merge_progress
WHERE table_name IN ('pins', 'repins', 'comments')

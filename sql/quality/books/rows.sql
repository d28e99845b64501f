-- name:    quality/books/rows
-- purpose: The rows of some buckets of a day of a reporting table, to find those that differ.
-- grain:   one row per event_id
-- reads:   $table
-- writes:  nothing
-- params:  from_hour datetime, to_hour datetime, buckets varchar
-- names:   table
SELECT
    event_id,
    kafka_partition,
    kafka_offset
FROM $table
WHERE
    occurred_hour >= %(from_hour)s
    AND occurred_hour < %(to_hour)s
    AND kafka_offset MOD 256 IN %(buckets)s

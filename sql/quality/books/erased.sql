-- name:    quality/books/erased
-- purpose: The records of a log that were erased.
-- grain:   one row per record
-- reads:   erased_records
-- writes:  nothing
-- params:  kafka_log varchar
SELECT
    kafka_partition,
    kafka_offset,
    event_type
FROM erased_records
WHERE kafka_log = %(kafka_log)s
ORDER BY
    kafka_partition,
    kafka_offset

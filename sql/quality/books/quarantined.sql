-- name:    quality/books/quarantined
-- purpose: The quarantined records of a table.
-- grain:   one row per record
-- reads:   quarantine
-- writes:  nothing
-- params:  table_name varchar
SELECT DISTINCT
    kafka_partition,
    kafka_offset
FROM quarantine
WHERE
    table_name = %(table_name)s
    AND kafka_partition IS NOT NULL
    AND kafka_offset IS NOT NULL

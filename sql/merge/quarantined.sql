-- name:    merge/quarantined
-- purpose: The quarantined records of a table within a range of offsets.
-- grain:   one row per record
-- reads:   quarantine
-- writes:  nothing
-- params:  table_name varchar, first_offset bigint, last_offset bigint
SELECT DISTINCT
    event_id,
    kafka_partition,
    kafka_offset
FROM quarantine
WHERE
    table_name = %(table_name)s
    AND kafka_offset BETWEEN %(first_offset)s AND %(last_offset)s

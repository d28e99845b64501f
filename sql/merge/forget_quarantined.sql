-- name:    merge/forget_quarantined
-- purpose: Delete a quarantined record that the lake has since corrected or erased: the slice has what it is now.
-- grain:   one row per quarantined row
-- reads:   nothing
-- writes:  quarantine
-- params:  table_name varchar, kafka_partition int, kafka_offset bigint, event_id varchar
DELETE FROM quarantine
WHERE
    table_name = %(table_name)s
    AND kafka_partition = %(kafka_partition)s
    AND kafka_offset = %(kafka_offset)s
    AND event_id <=> %(event_id)s

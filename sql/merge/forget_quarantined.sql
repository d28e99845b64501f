-- name:    merge/forget_quarantined
-- purpose: Delete a quarantined record that the lake has since corrected or erased: the slice has what it is now.
-- grain:   one row per quarantined row
-- reads:   nothing
-- writes:  quarantine
-- params:  table_name varchar, event_id varchar, kafka_partition int, kafka_offset bigint

-- By the event too: in a log that was made anew, another record has the same place.
DELETE FROM quarantine
WHERE
    table_name = %(table_name)s
    AND kafka_partition = %(kafka_partition)s
    AND kafka_offset = %(kafka_offset)s
    AND event_id <=> %(event_id)s

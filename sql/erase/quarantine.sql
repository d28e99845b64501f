-- name:    erase/quarantine
-- purpose: Delete the quarantined rows of erased records.
-- grain:   one row per quarantined row
-- reads:   erased_records
-- writes:  quarantine
-- params:  erasure_id varchar
DELETE row_aside FROM quarantine AS row_aside
INNER JOIN erased_records AS erased
    ON
        row_aside.kafka_partition = erased.kafka_partition
        AND row_aside.kafka_offset = erased.kafka_offset
        AND row_aside.event_id <=> erased.event_id
WHERE erased.erasure_id = %(erasure_id)s

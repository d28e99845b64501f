-- name:    merge/forget_quarantined
-- purpose: Delete quarantined copies of rows that the lake has since corrected or erased: the slice has the current rows.
-- grain:   one row per quarantined row
-- reads:   staging_$table
-- writes:  quarantine
-- params:  slice_id bigint, table_name varchar
-- names:   table

-- Rows that the gate has just quarantined from this slice are no longer in staging, so they stay in quarantine.
DELETE kept FROM quarantine AS kept
INNER JOIN staging_$table AS staged
    ON kept.kafka_partition = staged.kafka_partition AND kept.kafka_offset = staged.kafka_offset
WHERE
    kept.table_name = %(table_name)s
    AND kept.slice_id <> %(slice_id)s
    AND staged.slice_id = %(slice_id)s

-- name:    merge/forget_quarantined
-- purpose: Take away quarantined copies of rows that the lake has corrected or erased since: the slice has what they are now.
-- grain:   one row per quarantined row
-- reads:   staging_$table
-- writes:  quarantine
-- params:  slice_id bigint, table_name varchar
-- names:   table

-- What the gate has just taken out of this slice is not in staging, and stays.
DELETE kept FROM quarantine AS kept
INNER JOIN staging_$table AS staged
    ON kept.kafka_partition = staged.kafka_partition AND kept.kafka_offset = staged.kafka_offset
WHERE
    kept.table_name = %(table_name)s
    AND kept.slice_id <> %(slice_id)s
    AND staged.slice_id = %(slice_id)s

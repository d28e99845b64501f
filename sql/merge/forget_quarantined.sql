-- name:    merge/forget_quarantined
-- purpose: Take away quarantined copies of rows that were deleted from the lake (erasure).
-- grain:   one row per quarantined row
-- reads:   staging_$table
-- writes:  quarantine
-- params:  slice_id bigint, table_name varchar
-- names:   table
DELETE kept FROM quarantine AS kept
INNER JOIN staging_$table AS staged
    ON kept.kafka_partition = staged.kafka_partition AND kept.kafka_offset = staged.kafka_offset
WHERE
    kept.table_name = %(table_name)s
    AND staged.slice_id = %(slice_id)s
    AND staged.change_type = 'delete'

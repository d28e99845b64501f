-- name:    merge/audit/count_upserts
-- purpose: Count the rows of a slice that the gate has to check.
-- grain:   one row
-- reads:   staging_$table
-- writes:  nothing
-- params:  slice_id bigint
-- names:   table
SELECT COUNT(*) AS upserts
FROM staging_$table
WHERE
    slice_id = %(slice_id)s
    AND change_type = 'upsert'

-- name:    merge/count_staged
-- purpose: How many rows of a slice wait to be merged.
-- grain:   one row
-- reads:   staging_$table
-- writes:  nothing
-- params:  slice_id bigint
-- names:   table
SELECT COUNT(*) AS staged
FROM staging_$table
WHERE slice_id = %(slice_id)s

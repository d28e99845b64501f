-- name:    merge/count_staged
-- purpose: Count the staged rows of a slice.
-- grain:   one row
-- reads:   staging_$table
-- writes:  nothing
-- params:  slice_id bigint
-- names:   table
SELECT COUNT(*) AS staged
FROM staging_$table
WHERE slice_id = %(slice_id)s

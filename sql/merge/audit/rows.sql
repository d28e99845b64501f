-- name:    merge/audit/rows
-- purpose: The staged rows that go to quarantine.
-- grain:   one row per staged change
-- reads:   staging_$table
-- writes:  nothing
-- params:  slice_id bigint, row_nums list of bigint
-- names:   table
SELECT *
FROM staging_$table
WHERE
    slice_id = %(slice_id)s
    AND row_num IN %(row_nums)s

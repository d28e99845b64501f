-- name:    quality/sums
-- purpose: The row count and checksum of an hour of a reporting table.
-- grain:   one row
-- reads:   checked_$table
-- writes:  nothing
-- params:  hour datetime
-- names:   table

SELECT
    COUNT(*) AS row_count,
    COALESCE(SUM(checked.checksum), 0) AS checksum
FROM checked_$table AS checked
WHERE checked.occurred_hour = %(hour)s

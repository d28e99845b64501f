-- name:    quality/sums
-- purpose: An hour of a reporting table in two numbers, and the lake version that they must agree with.
-- grain:   one row
-- reads:   checked_$table, merge_watermarks
-- writes:  nothing
-- params:  table_name varchar, hour datetime
-- names:   table

-- One statement, so that rows and watermark are of the same moment while merges go on.
SELECT
    (
        SELECT watermark.version
        FROM merge_watermarks AS watermark
        WHERE watermark.table_name = %(table_name)s
    ) AS version,
    COUNT(*) AS row_count,
    COALESCE(SUM(checked.checksum), 0) AS checksum
FROM checked_$table AS checked
WHERE checked.occurred_hour = %(hour)s

-- name:    quality/sums
-- purpose: The row count and checksum of an hour of a reporting table, and the lake version to compare with.
-- grain:   one row
-- reads:   checked_$table, merge_shards
-- writes:  nothing
-- params:  table_name varchar, hour datetime
-- names:   table

-- One statement, so that rows and watermark are from the same snapshot while merges go on.
SELECT
    (
        SELECT MIN(watermark.version)
        FROM merge_shards AS watermark
        WHERE watermark.table_name = %(table_name)s
    ) AS version,
    COUNT(*) AS row_count,
    COALESCE(SUM(checked.checksum), 0) AS checksum
FROM checked_$table AS checked
WHERE checked.occurred_hour = %(hour)s

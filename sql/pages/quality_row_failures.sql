-- name:    pages/quality_row_failures
-- purpose: How many rows were read and how many failed, hour by hour of the merge.
-- grain:   one row per table and hour with a merge, first hour first
-- reads:   merge_slices
-- writes:  nothing
-- params:  from_time datetime
SELECT
    table_name,
    DATE(merged_at) + INTERVAL HOUR(merged_at) HOUR AS hour,
    SUM(rows_read) AS rows_read,
    SUM(quarantined) AS quarantined
FROM merge_slices
WHERE merged_at >= %(from_time)s
GROUP BY
    table_name,
    hour
ORDER BY
    table_name,
    hour

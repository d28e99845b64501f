-- name:    pages/quality_row_failures
-- purpose: Count the rows read and the rows quarantined, by hour of the merge.
-- grain:   one row per table and hour with a merge, oldest hour first
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

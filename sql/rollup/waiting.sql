-- name:    rollup/waiting
-- purpose: The slices and parts that wait for the rollups, and the age of the oldest.
-- grain:   one row
-- reads:   rollup_increments, stale_days
-- writes:  nothing
-- params:  none
SELECT
    COUNT(DISTINCT slice_id) AS slices,
    COALESCE(SUM(row_count), 0) AS queued_rows,
    (
        SELECT COUNT(*)
        FROM stale_days
    ) AS stale_days,
    COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(merged_at), CURRENT_TIMESTAMP(6)) / 1000000, 0) AS oldest_seconds
FROM rollup_increments

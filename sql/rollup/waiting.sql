-- name:    rollup/waiting
-- purpose: How much waits for the rollups, and since when.
-- grain:   one row
-- reads:   rollup_queue
-- writes:  nothing
-- params:  none
SELECT
    COUNT(*) AS slices,
    COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(merged_at), CURRENT_TIMESTAMP(6)) / 1000000, 0) AS oldest_seconds
FROM rollup_queue

-- name:    rollup/waiting
-- purpose: The number of slices that wait for the rollups, and the age of the oldest.
-- grain:   one row
-- reads:   rollup_queue
-- writes:  nothing
-- params:  none
SELECT
    COUNT(*) AS slices,
    COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(merged_at), CURRENT_TIMESTAMP(6)) / 1000000, 0) AS oldest_seconds
FROM rollup_queue

-- name:    rollup/queued
-- purpose: The slices whose increments are queued, oldest first, and how many rows these have.
-- grain:   one row per slice
-- reads:   rollup_increments
-- writes:  nothing
-- params:  none
SELECT
    slice_id,
    SUM(row_count) AS queued_rows
FROM rollup_increments
GROUP BY slice_id
ORDER BY slice_id

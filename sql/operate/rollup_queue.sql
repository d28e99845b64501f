-- name:    operate/rollup_queue
-- purpose: Count the merged slices that are not in the rollups yet.
-- grain:   one row
-- reads:   rollup_increments
-- writes:  nothing
-- params:  none
SELECT COUNT(DISTINCT slice_id) AS slices
FROM rollup_increments

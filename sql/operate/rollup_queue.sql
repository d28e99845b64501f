-- name:    operate/rollup_queue
-- purpose: Count the merged slices that are not in the rollups yet.
-- grain:   one row
-- reads:   rollup_queue
-- writes:  nothing
-- params:  none
SELECT COUNT(*) AS slices
FROM rollup_queue

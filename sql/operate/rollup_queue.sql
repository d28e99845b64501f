-- name:    operate/rollup_queue
-- purpose: How many merged slices the rollups have not taken in yet.
-- grain:   one row
-- reads:   rollup_queue
-- writes:  nothing
-- params:  none
SELECT COUNT(*) AS slices
FROM rollup_queue

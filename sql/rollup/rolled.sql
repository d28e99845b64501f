-- name:    rollup/rolled
-- purpose: How many slices a recomputation took in.
-- grain:   one row
-- reads:   rolled_slices
-- writes:  nothing
-- params:  none
SELECT COUNT(*) AS slices
FROM rolled_slices

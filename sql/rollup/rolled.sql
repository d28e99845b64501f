-- name:    rollup/rolled
-- purpose: Count the slices of a recomputation.
-- grain:   one row
-- reads:   rolled_slices
-- writes:  nothing
-- params:  none
SELECT COUNT(*) AS slices
FROM rolled_slices

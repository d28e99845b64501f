-- name:    rollup/generation
-- purpose: How often the rollups have been refreshed.
-- grain:   one row
-- reads:   rollup_generation
-- writes:  nothing
-- params:  none
SELECT generation
FROM rollup_generation

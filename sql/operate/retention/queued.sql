-- name:    operate/retention/queued
-- purpose: The increments that are not in the rollups yet.
-- grain:   one row per slice and part
-- reads:   rollup_increments
-- writes:  nothing
-- params:  none
SELECT increments
FROM rollup_increments

-- name:    rollup/stale_days
-- purpose: The days whose rollups are to be made anew from their rows.
-- grain:   one row per day, newest first
-- reads:   stale_days
-- writes:  nothing
-- params:  none
SELECT
    day,
    noted_at
FROM stale_days
ORDER BY day DESC

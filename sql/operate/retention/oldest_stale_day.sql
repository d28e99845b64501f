-- name:    operate/retention/oldest_stale_day
-- purpose: The oldest day whose rollups are still to be made anew from its rows.
-- grain:   one row; null if there is none
-- reads:   stale_days
-- writes:  nothing
-- params:  none
SELECT MIN(day) AS day
FROM stale_days

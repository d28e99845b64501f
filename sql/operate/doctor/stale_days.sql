-- name:    operate/doctor/stale_days
-- purpose: Count the days whose rollups are still to be made anew.
-- grain:   one row
-- reads:   stale_days
-- writes:  nothing
-- params:  none
SELECT COUNT(*) AS days
FROM stale_days

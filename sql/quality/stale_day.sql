-- name:    quality/stale_day
-- purpose: Whether the rollups of a day are being made anew.
-- grain:   at most one row
-- reads:   stale_days
-- writes:  nothing
-- params:  day date
SELECT day
FROM stale_days
WHERE day = %(day)s

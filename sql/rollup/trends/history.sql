-- name:    rollup/trends/history
-- purpose: Since when repins were counted by minute.
-- grain:   one row; null when nothing is counted
-- reads:   repin_minutes
-- writes:  nothing
-- params:  none
SELECT MIN(minute) AS first_minute
FROM repin_minutes

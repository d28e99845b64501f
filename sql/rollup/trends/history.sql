-- name:    rollup/trends/history
-- purpose: The first minute for which repins are counted.
-- grain:   one row; null if none are
-- reads:   repin_minutes
-- writes:  nothing
-- params:  none
SELECT MIN(minute) AS first_minute
FROM repin_minutes

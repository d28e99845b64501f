-- name:    rollup/trends/newest
-- purpose: The time of the newest repin that is counted, up to the current minute.
-- grain:   one row; null if there is none
-- reads:   repin_minutes
-- writes:  nothing
-- params:  now_time datetime
SELECT MAX(newest_at) AS newest_at
FROM repin_minutes
WHERE kind = 'all' AND minute <= %(now_time)s

-- name:    rollup/trends/forget
-- purpose: Delete the minutes that are too old for any trend.
-- grain:   one row per minute, kind and item
-- reads:   nothing
-- writes:  repin_minutes
-- params:  first_minute datetime
DELETE FROM repin_minutes
WHERE minute < %(first_minute)s

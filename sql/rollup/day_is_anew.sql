-- name:    rollup/day_is_anew
-- purpose: Forget a stale day that was made anew, unless it was noted again since its rows were read.
-- grain:   one row per day
-- reads:   nothing
-- writes:  stale_days
-- params:  day date, noted_at datetime(6)
DELETE FROM stale_days
WHERE
    day = %(day)s
    AND noted_at = %(noted_at)s

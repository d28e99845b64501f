-- name:    rollup/trends/noted
-- purpose: The minutes that merges have changed and that are due for a recount.
-- grain:   one row per minute, oldest first
-- reads:   touched_minutes, repin_minutes
-- writes:  nothing
-- params:  slice_id bigint, first_minute datetime, recent_minute datetime, to_minute datetime

-- Before recent_minute, only minutes that were never counted.
SELECT DISTINCT noted.minute
FROM touched_minutes AS noted
LEFT JOIN repin_minutes AS counted ON noted.minute = counted.minute AND counted.kind = 'all'
WHERE
    noted.slice_id <= %(slice_id)s
    AND noted.minute >= %(first_minute)s
    AND noted.minute < %(to_minute)s
    AND (noted.minute >= %(recent_minute)s OR counted.minute IS NULL)
ORDER BY noted.minute

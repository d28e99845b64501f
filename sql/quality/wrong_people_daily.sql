-- name:    quality/wrong_people_daily
-- purpose: People with an event in an hour whose bit for the day is not set.
-- grain:   one row per person
-- reads:   people_daily, pins, repins, comments, logins, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- Bits of people without an event are not checked: that would read the whole day.
SELECT seen.user_id
FROM (
    SELECT user_id
    FROM pins
    WHERE occurred_hour = %(hour)s
    UNION
    SELECT user_id
    FROM repins
    WHERE occurred_hour = %(hour)s
    UNION
    SELECT user_id
    FROM comments
    WHERE occurred_hour = %(hour)s
    UNION
    SELECT user_id
    FROM logins
    WHERE occurred_hour = %(hour)s
) AS seen
LEFT JOIN people_daily AS kept ON kept.day = DATE(%(hour)s) AND seen.user_id >> 6 = kept.chunk
WHERE
    seen.user_id NOT IN (
        SELECT user_id
        FROM stale_rows
    )
    AND COALESCE(kept.bits, 0) & (1 << (seen.user_id & 63)) = 0
ORDER BY seen.user_id

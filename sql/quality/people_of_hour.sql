-- name:    quality/people_of_hour
-- purpose: People with an event in an hour, whose bits for the day and for the hour must be set; a sixteenth of the people.
-- grain:   one row per person
-- reads:   pins, repins, comments, logins, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- A different sixteenth each hour. Bits of people without an event are not checked: that would read the whole day.
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
WHERE
    seen.user_id & 15 = HOUR(%(hour)s) & 15
    AND seen.user_id NOT IN (
        SELECT user_id
        FROM stale_rows
    )
ORDER BY seen.user_id

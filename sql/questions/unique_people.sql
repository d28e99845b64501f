-- name:    questions/unique_people
-- purpose: Count the different people who pinned, repinned, commented or logged in during a period.
-- grain:   one row; 0 if nobody did
-- reads:   people_daily, pins, repins, comments, logins
-- writes:  nothing
-- params:  from_time datetime, to_time datetime

-- A period is the hours that start in [from_time, to_time), UTC. Whole days come from people_daily, one bit per person;
-- the hours before the first and after the last whole day come from the events. A person in both sets the same bit.
-- The limits are repeated in each part because the server uses the indexes by hour only with constants.
SELECT COALESCE(SUM(BIT_COUNT(bits)), 0) AS unique_people
FROM (
    SELECT
        chunk,
        BIT_OR(bits) AS bits
    FROM (
        SELECT
            chunk,
            BIT_OR(bits) AS bits
        FROM people_daily
        WHERE
            day >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            AND day < DATE(CAST(%(to_time)s AS DATETIME))
        GROUP BY chunk
        UNION ALL
        SELECT
            user_id >> 6 AS chunk,
            BIT_OR(1 << (user_id & 63)) AS bits
        FROM pins
        WHERE
            (
                occurred_hour >= %(from_time)s
                AND occurred_hour < %(to_time)s
                AND occurred_hour < DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            )
            OR (
                occurred_hour >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
                AND occurred_hour >= DATE(CAST(%(to_time)s AS DATETIME))
                AND occurred_hour < %(to_time)s
            )
        GROUP BY user_id >> 6
        UNION ALL
        SELECT
            user_id >> 6 AS chunk,
            BIT_OR(1 << (user_id & 63)) AS bits
        FROM repins
        WHERE
            (
                occurred_hour >= %(from_time)s
                AND occurred_hour < %(to_time)s
                AND occurred_hour < DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            )
            OR (
                occurred_hour >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
                AND occurred_hour >= DATE(CAST(%(to_time)s AS DATETIME))
                AND occurred_hour < %(to_time)s
            )
        GROUP BY user_id >> 6
        UNION ALL
        SELECT
            user_id >> 6 AS chunk,
            BIT_OR(1 << (user_id & 63)) AS bits
        FROM comments
        WHERE
            (
                occurred_hour >= %(from_time)s
                AND occurred_hour < %(to_time)s
                AND occurred_hour < DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            )
            OR (
                occurred_hour >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
                AND occurred_hour >= DATE(CAST(%(to_time)s AS DATETIME))
                AND occurred_hour < %(to_time)s
            )
        GROUP BY user_id >> 6
        UNION ALL
        SELECT
            user_id >> 6 AS chunk,
            BIT_OR(1 << (user_id & 63)) AS bits
        FROM logins
        WHERE
            (
                occurred_hour >= %(from_time)s
                AND occurred_hour < %(to_time)s
                AND occurred_hour < DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            )
            OR (
                occurred_hour >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
                AND occurred_hour >= DATE(CAST(%(to_time)s AS DATETIME))
                AND occurred_hour < %(to_time)s
            )
        GROUP BY user_id >> 6
    ) AS seen
    GROUP BY chunk
) AS people

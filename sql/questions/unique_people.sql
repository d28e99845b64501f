-- name:    questions/unique_people
-- purpose: How many different people did anything at all in a period: pin, repin, comment or log in.
-- grain:   one row; 0 when nobody did
-- reads:   people_daily, pins, repins, comments, logins
-- writes:  nothing
-- params:  from_time datetime, to_time datetime

-- A period is the hours that start in [from_time, to_time), UTC. Whole days come from people_daily, a bit per person;
-- the hours before the first and after the last whole day from the events. A person in both is one bit all the same.
-- The limits are spelled out each time: the server uses the indexes by hour for constants only.
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

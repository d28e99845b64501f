-- name:    questions/unique_people
-- purpose: Count the different people who pinned, repinned, commented or logged in during a period.
-- grain:   one row; 0 if nobody did
-- reads:   people_daily, people_hourly
-- writes:  nothing
-- params:  from_time datetime, to_time datetime

-- A period is the hours that start in [from_time, to_time), UTC. Whole days come from people_daily, the hours before the
-- first and after the last whole day from people_hourly: one bit per person, the same one in both.
SELECT COALESCE(SUM(BIT_COUNT(bits)), 0) AS unique_people
FROM (
    SELECT
        chunk,
        BIT_OR(bits) AS bits
    FROM (
        SELECT
            chunk,
            bits
        FROM people_daily
        WHERE
            day >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            AND day < DATE(CAST(%(to_time)s AS DATETIME))
        UNION ALL
        SELECT
            chunk,
            bits
        FROM people_hourly
        WHERE
            (
                hour >= %(from_time)s
                AND hour < %(to_time)s
                AND hour < DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
            )
            OR (
                hour >= DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND)
                AND hour >= DATE(CAST(%(to_time)s AS DATETIME))
                AND hour < %(to_time)s
            )
    ) AS seen
    GROUP BY chunk
) AS people

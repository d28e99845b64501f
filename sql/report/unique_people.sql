-- name:    report/unique_people
-- purpose: How many different people did anything at all in a period: pin, repin, comment or log in.
-- grain:   one row; 0 when nobody did
-- reads:   people_daily, pins, repins, comments, logins
-- writes:  nothing
-- params:  from_time datetime, to_time datetime

-- A period is the hours that start in [from_time, to_time), UTC. Whole days come from people_daily, a bit per person;
-- the hours before the first and after the last whole day from the events. A person in both is one bit all the same.
WITH whole AS (
    SELECT
        DATE(CAST(%(from_time)s AS DATETIME) + INTERVAL 1 DAY - INTERVAL 1 SECOND) AS from_day,
        DATE(CAST(%(to_time)s AS DATETIME)) AS to_day
),

edge AS (
    SELECT
        CAST(%(from_time)s AS DATETIME) AS from_time,
        LEAST(CAST(from_day AS DATETIME), CAST(%(to_time)s AS DATETIME)) AS to_time
    FROM whole
    UNION ALL
    SELECT
        GREATEST(CAST(to_day AS DATETIME), CAST(from_day AS DATETIME)) AS from_time,
        CAST(%(to_time)s AS DATETIME) AS to_time
    FROM whole
),

seen AS (
    SELECT
        daily.chunk,
        BIT_OR(daily.bits) AS bits
    FROM whole
    INNER JOIN people_daily AS daily ON whole.from_day <= daily.day AND daily.day < whole.to_day
    GROUP BY daily.chunk
    UNION ALL
    SELECT
        event.user_id >> 6 AS chunk,
        BIT_OR(1 << (event.user_id & 63)) AS bits
    FROM edge
    INNER JOIN pins AS event ON edge.from_time <= event.occurred_hour AND event.occurred_hour < edge.to_time
    GROUP BY event.user_id >> 6
    UNION ALL
    SELECT
        event.user_id >> 6 AS chunk,
        BIT_OR(1 << (event.user_id & 63)) AS bits
    FROM edge
    INNER JOIN repins AS event ON edge.from_time <= event.occurred_hour AND event.occurred_hour < edge.to_time
    GROUP BY event.user_id >> 6
    UNION ALL
    SELECT
        event.user_id >> 6 AS chunk,
        BIT_OR(1 << (event.user_id & 63)) AS bits
    FROM edge
    INNER JOIN comments AS event ON edge.from_time <= event.occurred_hour AND event.occurred_hour < edge.to_time
    GROUP BY event.user_id >> 6
    UNION ALL
    SELECT
        event.user_id >> 6 AS chunk,
        BIT_OR(1 << (event.user_id & 63)) AS bits
    FROM edge
    INNER JOIN logins AS event ON edge.from_time <= event.occurred_hour AND event.occurred_hour < edge.to_time
    GROUP BY event.user_id >> 6
)

SELECT COALESCE(SUM(BIT_COUNT(bits)), 0) AS unique_people
FROM (
    SELECT
        chunk,
        BIT_OR(bits) AS bits
    FROM seen
    GROUP BY chunk
) AS people

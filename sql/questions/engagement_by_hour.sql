-- name:    questions/engagement_by_hour
-- purpose: Count the events of each type in each hour of a period.
-- grain:   one row per UTC hour with events, and event type; first hour first
-- reads:   category_hourly, logins
-- writes:  nothing
-- params:  from_time datetime, to_time datetime

-- A period is the hours that start in [from_time, to_time), UTC. Every pin, repin and comment is in one category.
SELECT
    hourly.hour,
    types.event_type,
    SUM(
        CASE types.event_type
            WHEN 'pin' THEN hourly.pins
            WHEN 'repin' THEN hourly.repins
            ELSE hourly.comments
        END
    ) AS events
FROM category_hourly AS hourly
CROSS JOIN (
    SELECT 'pin' AS event_type
    UNION ALL
    SELECT 'repin' AS event_type
    UNION ALL
    SELECT 'comment' AS event_type
) AS types
WHERE hourly.hour >= %(from_time)s AND hourly.hour < %(to_time)s
GROUP BY
    hourly.hour,
    types.event_type
HAVING events > 0
UNION ALL
SELECT
    occurred_hour AS hour,
    'login' AS event_type,
    COUNT(*) AS events
FROM logins
WHERE occurred_hour >= %(from_time)s AND occurred_hour < %(to_time)s
GROUP BY occurred_hour
ORDER BY
    hour,
    event_type

-- name:    questions/brand_day
-- purpose: A brand's day in one row, next to the day before.
-- grain:   one row, also for a day without events
-- reads:   brand_daily, brands, pins, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, day date
-- same as: reports/hours, reports/people

-- engaged_people repinned or commented, pinning_people made pins: counted from the events, and exact for the day.
SELECT
    asked.brand_id,
    COALESCE(brand.name, CONCAT('brand ', asked.brand_id)) AS brand_name,
    asked.day,
    COALESCE(today.repins + today.comments, 0) AS engagement,
    COALESCE(today.repins, 0) AS repins,
    COALESCE(today.comments, 0) AS comments,
    COALESCE(today.pins, 0) AS pins,
    people.engaged_people,
    people.pinning_people,
    COALESCE(earlier.repins + earlier.comments, 0) AS engagement_day_before,
    people.engaged_people_day_before
FROM (
    SELECT
        %(brand_id)s AS brand_id,
        CAST(%(day)s AS DATE) AS day
) AS asked
LEFT JOIN brands AS brand ON asked.brand_id = brand.brand_id
LEFT JOIN brand_daily AS today ON asked.brand_id = today.brand_id AND asked.day = today.day
LEFT JOIN brand_daily AS earlier ON asked.brand_id = earlier.brand_id AND asked.day - INTERVAL 1 DAY = earlier.day
CROSS JOIN (
    SELECT
        COUNT(DISTINCT CASE WHEN is_pin = 0 AND occurred_hour >= %(day)s THEN user_id END) AS engaged_people,
        COUNT(DISTINCT CASE WHEN is_pin = 1 AND occurred_hour >= %(day)s THEN user_id END) AS pinning_people,
        COUNT(DISTINCT CASE WHEN is_pin = 0 AND occurred_hour < %(day)s THEN user_id END) AS engaged_people_day_before
    FROM (
        SELECT
            user_id,
            occurred_hour,
            1 AS is_pin
        FROM pins
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME) - INTERVAL 1 DAY
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
        UNION ALL
        SELECT
            user_id,
            occurred_hour,
            0 AS is_pin
        FROM repins
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME) - INTERVAL 1 DAY
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
        UNION ALL
        SELECT
            user_id,
            occurred_hour,
            0 AS is_pin
        FROM comments
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME) - INTERVAL 1 DAY
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
    ) AS event
) AS people

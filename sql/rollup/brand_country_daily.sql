-- name:    rollup/brand_country_daily
-- purpose: Recompute the touched buckets of brand_country_daily from the deduplicated rows.
-- grain:   one row per brand_id, country_code, day
-- reads:   touched_brand_days, clock_hours, pins, repins, comments
-- writes:  brand_country_daily
-- params:  none

-- Recomputes all countries of a touched brand and day. Every join on the events is by equality, as in brand_daily.
DELETE rolled FROM brand_country_daily AS rolled
INNER JOIN touched_brand_days AS touched
    ON rolled.brand_id = touched.brand_id AND rolled.day = touched.day;

INSERT INTO brand_country_daily (
    brand_id,
    country_code,
    day,
    pins,
    repins,
    comments,
    unique_people
)
SELECT
    brand_id,
    country_code,
    day,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT
        touched.brand_id,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        touched.day,
        event.user_id,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM touched_brand_days AS touched
    CROSS JOIN clock_hours AS clock
    INNER JOIN pins AS event
        ON touched.brand_id = event.brand_id AND event.occurred_hour = touched.day + INTERVAL clock.hour_of_day HOUR
    UNION ALL
    SELECT
        touched.brand_id,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        touched.day,
        event.user_id,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM touched_brand_days AS touched
    CROSS JOIN clock_hours AS clock
    INNER JOIN repins AS event
        ON touched.brand_id = event.brand_id AND event.occurred_hour = touched.day + INTERVAL clock.hour_of_day HOUR
    UNION ALL
    SELECT
        touched.brand_id,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        touched.day,
        event.user_id,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM touched_brand_days AS touched
    CROSS JOIN clock_hours AS clock
    INNER JOIN comments AS event
        ON touched.brand_id = event.brand_id AND event.occurred_hour = touched.day + INTERVAL clock.hour_of_day HOUR
) AS engaged
GROUP BY
    brand_id,
    country_code,
    day;

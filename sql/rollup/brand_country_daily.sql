-- name:    rollup/brand_country_daily
-- purpose: Recompute the touched buckets of brand_country_daily from the deduplicated rows.
-- grain:   one row per brand_id, country_code, day
-- reads:   touched_brand_days, brand_hourly, pins, repins, comments
-- writes:  brand_country_daily
-- params:  none

-- All countries of a touched brand and day; brand_hourly names the hours that hold rows.
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
    INNER JOIN brand_hourly AS hours
        ON touched.brand_id = hours.brand_id AND hours.hour >= touched.day AND hours.hour < touched.day + INTERVAL 1 DAY
    INNER JOIN pins AS event
        ON hours.brand_id = event.brand_id AND hours.hour = event.occurred_hour
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
    INNER JOIN brand_hourly AS hours
        ON touched.brand_id = hours.brand_id AND hours.hour >= touched.day AND hours.hour < touched.day + INTERVAL 1 DAY
    INNER JOIN repins AS event
        ON hours.brand_id = event.brand_id AND hours.hour = event.occurred_hour
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
    INNER JOIN brand_hourly AS hours
        ON touched.brand_id = hours.brand_id AND hours.hour >= touched.day AND hours.hour < touched.day + INTERVAL 1 DAY
    INNER JOIN comments AS event
        ON hours.brand_id = event.brand_id AND hours.hour = event.occurred_hour
) AS engaged
GROUP BY
    brand_id,
    country_code,
    day;

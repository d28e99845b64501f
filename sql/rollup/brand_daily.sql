-- name:    rollup/brand_daily
-- purpose: Recompute the touched buckets of brand_daily from the deduplicated rows.
-- grain:   one row per brand_id, day
-- reads:   touched_brand_days, brand_hourly, pins, repins, comments
-- writes:  brand_daily
-- params:  none

-- brand_hourly, recomputed before, names the hours that hold rows: every join on the events is by equality.
DELETE rolled FROM brand_daily AS rolled
INNER JOIN touched_brand_days AS touched
    ON rolled.brand_id = touched.brand_id AND rolled.day = touched.day;

INSERT INTO brand_daily (
    brand_id,
    day,
    pins,
    repins,
    comments,
    unique_people
)
SELECT
    brand_id,
    day,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT
        touched.brand_id,
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
    day;

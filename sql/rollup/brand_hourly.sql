-- name:    rollup/brand_hourly
-- purpose: Recompute the touched buckets of brand_hourly from the deduplicated rows.
-- grain:   one row per brand_id, hour
-- reads:   touched_brand_hours, pins, repins, comments
-- writes:  brand_hourly
-- params:  none

-- Deleted first, so that a bucket whose last row was deleted disappears.
DELETE rolled FROM brand_hourly AS rolled
INNER JOIN touched_brand_hours AS touched
    ON rolled.brand_id = touched.brand_id AND rolled.hour = touched.hour;

INSERT INTO brand_hourly (
    brand_id,
    hour,
    pins,
    repins,
    comments,
    unique_people
)
SELECT
    brand_id,
    hour,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT
        touched.brand_id,
        touched.hour,
        event.user_id,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM touched_brand_hours AS touched
    INNER JOIN pins AS event
        ON touched.brand_id = event.brand_id AND touched.hour = event.occurred_hour
    UNION ALL
    SELECT
        touched.brand_id,
        touched.hour,
        event.user_id,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM touched_brand_hours AS touched
    INNER JOIN repins AS event
        ON touched.brand_id = event.brand_id AND touched.hour = event.occurred_hour
    UNION ALL
    SELECT
        touched.brand_id,
        touched.hour,
        event.user_id,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM touched_brand_hours AS touched
    INNER JOIN comments AS event
        ON touched.brand_id = event.brand_id AND touched.hour = event.occurred_hour
) AS engaged
GROUP BY
    brand_id,
    hour;

-- name:    rollup/pin_hourly
-- purpose: Recompute the touched buckets of pin_hourly from the deduplicated rows.
-- grain:   one row per pin_id, hour
-- reads:   touched_pin_hours, pins, repins, comments
-- writes:  pin_hourly
-- params:  none

-- Deleted first, so that a bucket whose last row was deleted disappears.
DELETE rolled FROM pin_hourly AS rolled
INNER JOIN touched_pin_hours AS touched
    ON rolled.pin_id = touched.pin_id AND rolled.hour = touched.hour;

INSERT INTO pin_hourly (
    pin_id,
    hour,
    pins,
    repins,
    comments,
    engagement
)
SELECT
    pin_id,
    hour,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    SUM(repins + comments) AS engagement
FROM (
    SELECT
        touched.pin_id,
        touched.hour,
        COUNT(*) AS pins,
        0 AS repins,
        0 AS comments
    FROM touched_pin_hours AS touched
    INNER JOIN pins AS event
        ON touched.pin_id = event.pin_id AND touched.hour = event.occurred_hour
    GROUP BY
        touched.pin_id,
        touched.hour
    UNION ALL
    SELECT
        touched.pin_id,
        touched.hour,
        0 AS pins,
        COUNT(*) AS repins,
        0 AS comments
    FROM touched_pin_hours AS touched
    INNER JOIN repins AS event
        ON touched.pin_id = event.pin_id AND touched.hour = event.occurred_hour
    GROUP BY
        touched.pin_id,
        touched.hour
    UNION ALL
    SELECT
        touched.pin_id,
        touched.hour,
        0 AS pins,
        0 AS repins,
        COUNT(*) AS comments
    FROM touched_pin_hours AS touched
    INNER JOIN comments AS event
        ON touched.pin_id = event.pin_id AND touched.hour = event.occurred_hour
    GROUP BY
        touched.pin_id,
        touched.hour
) AS engaged
GROUP BY
    pin_id,
    hour;

-- name:    rollup/category_hourly
-- purpose: Recompute the touched buckets of category_hourly from the deduplicated rows.
-- grain:   one row per category, hour
-- reads:   touched_category_hours, pins, repins, comments
-- writes:  category_hourly
-- params:  none

-- Reads whole hours: an hour with events has nearly all categories touched, and an index by category would slow every
-- insert.
DELETE rolled FROM category_hourly AS rolled
INNER JOIN touched_category_hours AS touched
    ON rolled.category = COALESCE(touched.category, '(none)') AND rolled.hour = touched.hour;

INSERT INTO category_hourly (
    category,
    hour,
    pins,
    repins,
    comments,
    unique_people
)
SELECT
    counted.category,
    counted.hour,
    counted.pins,
    counted.repins,
    counted.comments,
    counted.unique_people
FROM (
    SELECT
        category,
        hour,
        SUM(pins) AS pins,
        SUM(repins) AS repins,
        SUM(comments) AS comments,
        COUNT(DISTINCT user_id) AS unique_people
    FROM (
        SELECT
            COALESCE(event.category, '(none)') AS category,
            hours.hour,
            event.user_id,
            1 AS pins,
            0 AS repins,
            0 AS comments
        FROM (SELECT DISTINCT hour FROM touched_category_hours) AS hours
        INNER JOIN pins AS event ON hours.hour = event.occurred_hour
        UNION ALL
        SELECT
            COALESCE(event.category, '(none)') AS category,
            hours.hour,
            event.user_id,
            0 AS pins,
            1 AS repins,
            0 AS comments
        FROM (SELECT DISTINCT hour FROM touched_category_hours) AS hours
        INNER JOIN repins AS event ON hours.hour = event.occurred_hour
        UNION ALL
        SELECT
            COALESCE(event.category, '(none)') AS category,
            hours.hour,
            event.user_id,
            0 AS pins,
            0 AS repins,
            1 AS comments
        FROM (SELECT DISTINCT hour FROM touched_category_hours) AS hours
        INNER JOIN comments AS event ON hours.hour = event.occurred_hour
    ) AS engaged
    GROUP BY
        category,
        hour
) AS counted
INNER JOIN (
    SELECT DISTINCT
        COALESCE(category, '(none)') AS category,
        hour
    FROM touched_category_hours
) AS touched ON counted.category = touched.category AND counted.hour = touched.hour;

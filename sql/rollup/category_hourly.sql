-- name:    rollup/category_hourly
-- purpose: Recompute the touched buckets of category_hourly from the deduplicated rows.
-- grain:   one row per category, hour
-- reads:   touched_category_hours, pins, repins, comments
-- writes:  category_hourly
-- params:  none

-- <=> takes two nulls for the same and still uses the index on (category, occurred_hour).
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
    category,
    hour,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT
        COALESCE(touched.category, '(none)') AS category,
        touched.hour,
        event.user_id,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM (SELECT DISTINCT
        category,
        hour
    FROM touched_category_hours) AS touched
    INNER JOIN pins AS event
        ON touched.category <=> event.category AND touched.hour = event.occurred_hour
    UNION ALL
    SELECT
        COALESCE(touched.category, '(none)') AS category,
        touched.hour,
        event.user_id,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM (SELECT DISTINCT
        category,
        hour
    FROM touched_category_hours) AS touched
    INNER JOIN repins AS event
        ON touched.category <=> event.category AND touched.hour = event.occurred_hour
    UNION ALL
    SELECT
        COALESCE(touched.category, '(none)') AS category,
        touched.hour,
        event.user_id,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM (SELECT DISTINCT
        category,
        hour
    FROM touched_category_hours) AS touched
    INNER JOIN comments AS event
        ON touched.category <=> event.category AND touched.hour = event.occurred_hour
) AS engaged
GROUP BY
    category,
    hour;

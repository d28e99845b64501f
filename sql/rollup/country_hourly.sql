-- name:    rollup/country_hourly
-- purpose: Recompute the touched hours of country_hourly from the deduplicated rows.
-- grain:   one row per hour, country_code
-- reads:   touched_hours, pins, repins, comments
-- writes:  country_hourly
-- params:  none

-- All countries of a touched hour: an index by country would cost each merge more than reading the hour.
DELETE rolled FROM country_hourly AS rolled
INNER JOIN touched_hours AS touched ON rolled.hour = touched.hour;

INSERT INTO country_hourly (
    hour,
    country_code,
    pins,
    repins,
    comments
)
SELECT
    hour,
    country_code,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        touched.hour,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        COUNT(*) AS pins,
        0 AS repins,
        0 AS comments
    FROM touched_hours AS touched
    INNER JOIN pins AS event ON touched.hour = event.occurred_hour
    GROUP BY
        touched.hour,
        COALESCE(event.country_code, 'ZZ')
    UNION ALL
    SELECT
        touched.hour,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        0 AS pins,
        COUNT(*) AS repins,
        0 AS comments
    FROM touched_hours AS touched
    INNER JOIN repins AS event ON touched.hour = event.occurred_hour
    GROUP BY
        touched.hour,
        COALESCE(event.country_code, 'ZZ')
    UNION ALL
    SELECT
        touched.hour,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        0 AS pins,
        0 AS repins,
        COUNT(*) AS comments
    FROM touched_hours AS touched
    INNER JOIN comments AS event ON touched.hour = event.occurred_hour
    GROUP BY
        touched.hour,
        COALESCE(event.country_code, 'ZZ')
) AS engaged
GROUP BY
    hour,
    country_code;

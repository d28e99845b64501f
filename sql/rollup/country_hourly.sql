-- name:    rollup/country_hourly
-- purpose: Recompute the touched buckets of country_hourly from the deduplicated rows.
-- grain:   one row per hour, country_code
-- reads:   touched_country_hours, pins, repins, comments
-- writes:  country_hourly
-- params:  none

-- Reads whole hours, as category_hourly does.
DELETE rolled FROM country_hourly AS rolled
INNER JOIN touched_country_hours AS touched
    ON rolled.country_code = COALESCE(touched.country_code, 'ZZ') AND rolled.hour = touched.hour;

INSERT INTO country_hourly (
    hour,
    country_code,
    pins,
    repins,
    comments
)
SELECT
    counted.hour,
    counted.country_code,
    SUM(counted.pins) AS pins,
    SUM(counted.repins) AS repins,
    SUM(counted.comments) AS comments
FROM (
    SELECT
        COALESCE(event.country_code, 'ZZ') AS country_code,
        hours.hour,
        COUNT(*) AS pins,
        0 AS repins,
        0 AS comments
    FROM (SELECT DISTINCT hour FROM touched_country_hours) AS hours
    INNER JOIN pins AS event ON hours.hour = event.occurred_hour
    GROUP BY
        COALESCE(event.country_code, 'ZZ'),
        hours.hour
    UNION ALL
    SELECT
        COALESCE(event.country_code, 'ZZ') AS country_code,
        hours.hour,
        0 AS pins,
        COUNT(*) AS repins,
        0 AS comments
    FROM (SELECT DISTINCT hour FROM touched_country_hours) AS hours
    INNER JOIN repins AS event ON hours.hour = event.occurred_hour
    GROUP BY
        COALESCE(event.country_code, 'ZZ'),
        hours.hour
    UNION ALL
    SELECT
        COALESCE(event.country_code, 'ZZ') AS country_code,
        hours.hour,
        0 AS pins,
        0 AS repins,
        COUNT(*) AS comments
    FROM (SELECT DISTINCT hour FROM touched_country_hours) AS hours
    INNER JOIN comments AS event ON hours.hour = event.occurred_hour
    GROUP BY
        COALESCE(event.country_code, 'ZZ'),
        hours.hour
) AS counted
INNER JOIN (
    SELECT DISTINCT
        COALESCE(country_code, 'ZZ') AS country_code,
        hour
    FROM touched_country_hours
) AS touched ON counted.country_code = touched.country_code AND counted.hour = touched.hour
GROUP BY
    counted.hour,
    counted.country_code;

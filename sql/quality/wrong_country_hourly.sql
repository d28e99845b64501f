-- name:    quality/wrong_country_hourly
-- purpose: Buckets of country_hourly, in an hour, that differ from a count of the rows.
-- grain:   one row per wrong bucket
-- reads:   country_hourly, pins, repins, comments, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- The rollup minus a count of the rows: any difference but zero is wrong. One statement reads one
-- snapshot; buckets with queued increments are left out.
SELECT
    country_code,
    SUM(pins) AS pins_too_many,
    SUM(repins) AS repins_too_many,
    SUM(comments) AS comments_too_many
FROM (
    SELECT
        country_code,
        pins,
        repins,
        comments
    FROM country_hourly
    WHERE hour = %(hour)s
    UNION ALL
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        -COUNT(*) AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    WHERE occurred_hour = %(hour)s
    GROUP BY COALESCE(country_code, 'ZZ')
    UNION ALL
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        0 AS pins,
        -COUNT(*) AS repins,
        0 AS comments
    FROM repins
    WHERE occurred_hour = %(hour)s
    GROUP BY COALESCE(country_code, 'ZZ')
    UNION ALL
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        0 AS pins,
        0 AS repins,
        -COUNT(*) AS comments
    FROM comments
    WHERE occurred_hour = %(hour)s
    GROUP BY COALESCE(country_code, 'ZZ')
) AS compared
WHERE
    country_code NOT IN (
        SELECT COALESCE(country_code, 'ZZ')
        FROM stale_rows
        WHERE
            occurred_hour = %(hour)s
            AND table_name <> 'logins'
    )
GROUP BY country_code
HAVING
    SUM(pins) <> 0
    OR SUM(repins) <> 0
    OR SUM(comments) <> 0
ORDER BY country_code

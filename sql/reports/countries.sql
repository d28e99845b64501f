-- name:    reports/countries
-- purpose: The countries of the people who engaged with the pins of some brands.
-- grain:   one row per brand, country (ZZ: unknown) and period (is_before: the one before) with engagement
-- reads:   repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_hour datetime, before_time datetime, from_time datetime, to_time datetime
-- names:   time_column
-- same as: questions/brand_day_countries

-- $time_column: as in reports/people.
SELECT
    brand_id,
    COALESCE(country_code, 'ZZ') AS country_code,
    is_before,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    COUNT(DISTINCT user_id) AS engaged_people
FROM (
    SELECT
        brand_id,
        country_code,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id,
        1 AS repins,
        0 AS comments
    FROM repins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND $time_column >= %(before_time)s
        AND $time_column < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        country_code,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id,
        0 AS repins,
        1 AS comments
    FROM comments
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND $time_column >= %(before_time)s
        AND $time_column < %(to_time)s
) AS event
GROUP BY
    brand_id,
    COALESCE(country_code, 'ZZ'),
    is_before

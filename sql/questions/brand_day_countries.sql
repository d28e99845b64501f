-- name:    questions/brand_day_countries
-- purpose: The countries from which people engaged with a brand on a day.
-- grain:   one row per country, most engaged first, then by code; ZZ: unknown country
-- reads:   brand_country_daily, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, day date, top int
-- same as: reports/countries

-- engaged_people repinned or commented: counted from the events.
SELECT
    daily.country_code,
    daily.repins + daily.comments AS engagement,
    daily.repins,
    daily.comments,
    daily.pins,
    COALESCE(people.engaged_people, 0) AS engaged_people
FROM brand_country_daily AS daily
LEFT JOIN (
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        COUNT(DISTINCT user_id) AS engaged_people
    FROM (
        SELECT
            country_code,
            user_id
        FROM repins
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME)
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
        UNION ALL
        SELECT
            country_code,
            user_id
        FROM comments
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME)
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
    ) AS event
    GROUP BY COALESCE(country_code, 'ZZ')
) AS people ON daily.country_code = people.country_code
WHERE daily.brand_id = %(brand_id)s AND daily.day = %(day)s
ORDER BY
    engagement DESC,
    daily.country_code ASC
LIMIT %(top)s

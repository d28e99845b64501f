-- name:    pages/brand_countries
-- purpose: The countries from which people engaged with a brand, to the minute.
-- grain:   one row per country (ZZ: unknown), most engaged first, then by code
-- reads:   repins, comments
-- writes:  nothing
-- params:  brand_id bigint, from_time datetime, first_hour datetime, last_hour datetime, to_time datetime, hours list of datetime

-- As in pages/brand_people.
SELECT
    COALESCE(country_code, 'ZZ') AS country_code,
    COUNT(*) AS engagement,
    COUNT(DISTINCT user_id) AS people
FROM (
    SELECT
        country_code,
        user_id
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT
        country_code,
        user_id
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT
        country_code,
        user_id
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT
        country_code,
        user_id
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
) AS event
GROUP BY COALESCE(country_code, 'ZZ')
ORDER BY
    COUNT(*) DESC,
    COALESCE(country_code, 'ZZ') ASC

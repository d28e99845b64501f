-- name:    pages/pin_countries
-- purpose: The countries from which people engaged with a pin in some hours.
-- grain:   one row per country (ZZ: unknown), most engaged first, then by code
-- reads:   repins, comments
-- writes:  nothing
-- params:  pin_id bigint, hours list of datetime

-- The index by_hour has a pin's rows of each hour, and all of these columns.
SELECT
    COALESCE(country_code, 'ZZ') AS country_code,
    COUNT(*) AS engagement,
    COUNT(DISTINCT user_id) AS people
FROM (
    SELECT
        country_code,
        user_id
    FROM repins
    WHERE occurred_hour IN %(hours)s AND pin_id = %(pin_id)s
    UNION ALL
    SELECT
        country_code,
        user_id
    FROM comments
    WHERE occurred_hour IN %(hours)s AND pin_id = %(pin_id)s
) AS event
GROUP BY COALESCE(country_code, 'ZZ')
ORDER BY
    COUNT(*) DESC,
    COALESCE(country_code, 'ZZ') ASC

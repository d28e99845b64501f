-- name:    pages/pin_countries_of_brands
-- purpose: The countries from which people engaged with a pin in some hours, while it was of some brands.
-- grain:   one row per country (ZZ: unknown), most engaged first, then by code
-- reads:   repins, comments
-- writes:  nothing
-- params:  pin_id bigint, brands list of bigint, hours list of datetime

-- As in pages/pin_hours_of_brands.
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
        brand_id IN %(brands)s
        AND occurred_hour IN %(hours)s
        AND pin_id = %(pin_id)s
    UNION ALL
    SELECT
        country_code,
        user_id
    FROM comments
    WHERE
        brand_id IN %(brands)s
        AND occurred_hour IN %(hours)s
        AND pin_id = %(pin_id)s
) AS event
GROUP BY COALESCE(country_code, 'ZZ')
ORDER BY
    COUNT(*) DESC,
    COALESCE(country_code, 'ZZ') ASC

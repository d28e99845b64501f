-- name:    questions/brand_day_countries
-- purpose: The countries from which people engaged with a brand on a day.
-- grain:   one row per country, most engaged first, then by code; ZZ: unknown country
-- reads:   brand_country_daily
-- writes:  nothing
-- params:  brand_id bigint, day date, top int
-- same as: reports/countries
SELECT
    country_code,
    repins + comments AS engagement,
    repins,
    comments,
    pins,
    unique_people
FROM brand_country_daily
WHERE brand_id = %(brand_id)s AND day = %(day)s
ORDER BY
    engagement DESC,
    country_code ASC
LIMIT %(top)s

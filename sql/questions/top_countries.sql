-- name:    questions/top_countries
-- purpose: The countries from which people engaged with pins most in a period.
-- grain:   one row per country with engagement, most engaged first, then by code; ZZ: unknown country
-- reads:   country_hourly
-- writes:  nothing
-- params:  from_time datetime, to_time datetime, top int

-- A period is the hours that start in [from_time, to_time), UTC.
SELECT
    country_code,
    SUM(repins + comments) AS engagement,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    SUM(pins) AS pins
FROM country_hourly
WHERE hour >= %(from_time)s AND hour < %(to_time)s
GROUP BY country_code
HAVING SUM(repins + comments) > 0
ORDER BY
    engagement DESC,
    country_code ASC
LIMIT %(top)s

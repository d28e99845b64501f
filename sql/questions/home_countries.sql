-- name:    questions/home_countries
-- purpose: The home countries of people: those of most of their logins.
-- grain:   one row per country, most people first, then by code; ZZ: none of the person's logins could be located
-- reads:   person_homes
-- writes:  nothing
-- params:  top int

-- Counts each person who ever logged in once. People who never logged in are not counted.
SELECT
    country_code,
    COUNT(*) AS people
FROM person_homes
GROUP BY country_code
ORDER BY
    people DESC,
    country_code ASC
LIMIT %(top)s

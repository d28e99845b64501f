-- name:    questions/home_countries
-- purpose: In which countries people are at home: where most of their logins come from.
-- grain:   one row per country, most people first, then by code; ZZ: no login of theirs could be located
-- reads:   person_homes
-- writes:  nothing
-- params:  top int

-- Everybody who ever logged in, once. Who never did has no home here.
SELECT
    country_code,
    COUNT(*) AS people
FROM person_homes
GROUP BY country_code
ORDER BY
    people DESC,
    country_code ASC
LIMIT %(top)s

-- name:    rollup/days_of_person
-- purpose: On how many days a person has an event.
-- grain:   one row
-- reads:   people_daily
-- writes:  nothing
-- params:  chunk bigint, bit int
SELECT COUNT(*) AS days
FROM people_daily
WHERE
    chunk = %(chunk)s
    AND (bits >> %(bit)s) & 1 = 1

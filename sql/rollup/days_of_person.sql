-- name:    rollup/days_of_person
-- purpose: On how many days a person has an event, of those whose rows are kept: earlier days stay as they are.
-- grain:   one row
-- reads:   people_daily, retention
-- writes:  nothing
-- params:  chunk bigint, bit int
SELECT COUNT(*) AS days
FROM people_daily
WHERE
    chunk = %(chunk)s
    AND (bits >> %(bit)s) & 1 = 1
    AND day >= COALESCE(
        (
            SELECT MAX(kept_from)
            FROM retention
            WHERE store = 'events'
        ),
        '1000-01-01'
    )

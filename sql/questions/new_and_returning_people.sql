-- name:    questions/new_and_returning_people
-- purpose: Count the people of each day who were never seen before, and those who were.
-- grain:   one row per UTC day with people in [from_day, to_day), first day first
-- reads:   people_daily
-- writes:  nothing
-- params:  from_day date, to_day date

-- "Before" means in all data that the tables hold. A person who acts twice on their first day counts as new once.
SELECT
    day,
    SUM(BIT_COUNT(bits)) AS people,
    SUM(BIT_COUNT(bits & ~bits_before)) AS new_people,
    SUM(BIT_COUNT(bits & bits_before)) AS returning_people
FROM (
    SELECT
        day,
        bits,
        BIT_OR(bits) OVER (
            PARTITION BY chunk
            ORDER BY day
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS bits_before
    FROM people_daily
    WHERE day < %(to_day)s
) AS seen
WHERE day >= %(from_day)s
GROUP BY day
ORDER BY day

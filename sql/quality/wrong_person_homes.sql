-- name:    quality/wrong_person_homes
-- purpose: People with a login in an hour whose home country contradicts their logins; a sixteenth of the people.
-- grain:   one row per person
-- reads:   person_homes, logins, expired_logins, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- A different sixteenth each hour, because this counts all logins that a person ever made.
SELECT
    counted.user_id,
    counted.country_code,
    counted.logins,
    kept.country_code AS kept_country_code,
    kept.logins AS kept_logins
FROM (
    SELECT
        user_id,
        country_code,
        SUM(logins) AS logins,
        ROW_NUMBER() OVER (
            PARTITION BY user_id
            ORDER BY country_code = 'ZZ', SUM(logins) DESC, country_code
        ) AS place
    FROM (
        SELECT
            person.user_id,
            COALESCE(event.country_code, 'ZZ') AS country_code,
            COUNT(*) AS logins
        FROM (
            SELECT DISTINCT user_id
            FROM logins
            WHERE occurred_hour = %(hour)s AND user_id & 15 = HOUR(%(hour)s) & 15
        ) AS person
        INNER JOIN logins AS event ON person.user_id = event.user_id
        GROUP BY
            person.user_id,
            event.country_code
        UNION ALL
        SELECT
            person.user_id,
            expired.country_code,
            expired.logins
        FROM (
            SELECT DISTINCT user_id
            FROM logins
            WHERE occurred_hour = %(hour)s AND user_id & 15 = HOUR(%(hour)s) & 15
        ) AS person
        INNER JOIN expired_logins AS expired ON person.user_id = expired.user_id
    ) AS of_country
    GROUP BY
        user_id,
        country_code
) AS counted
LEFT JOIN person_homes AS kept ON counted.user_id = kept.user_id
WHERE
    counted.place = 1
    AND counted.user_id NOT IN (
        SELECT user_id
        FROM stale_rows
        WHERE
            table_name = 'logins'
    )
    AND (
        kept.user_id IS NULL
        OR counted.country_code <> kept.country_code
        OR counted.logins <> kept.logins
    )
ORDER BY counted.user_id

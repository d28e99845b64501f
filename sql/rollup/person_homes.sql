-- name:    rollup/person_homes
-- purpose: Recompute the home country of the people whose logins were touched.
-- grain:   one row per user_id
-- reads:   touched_logins, logins, expired_logins
-- writes:  person_homes
-- params:  none
DELETE home FROM person_homes AS home
INNER JOIN touched_logins AS touched ON home.user_id = touched.user_id;

INSERT INTO person_homes (
    user_id,
    country_code,
    logins
)
SELECT
    user_id,
    country_code,
    logins
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
        FROM touched_logins AS person
        INNER JOIN logins AS event ON person.user_id = event.user_id
        GROUP BY
            person.user_id,
            event.country_code
        UNION ALL
        SELECT
            person.user_id,
            expired.country_code,
            expired.logins
        FROM touched_logins AS person
        INNER JOIN expired_logins AS expired ON person.user_id = expired.user_id
    ) AS counted
    GROUP BY
        user_id,
        country_code
) AS ranked
WHERE place = 1;

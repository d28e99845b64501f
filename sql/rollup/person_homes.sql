-- name:    rollup/person_homes
-- purpose: Recompute the home country of the people whose logins were touched.
-- grain:   one row per user_id
-- reads:   touched_logins, logins
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
        person.user_id,
        COALESCE(event.country_code, 'ZZ') AS country_code,
        COUNT(*) AS logins,
        ROW_NUMBER() OVER (
            PARTITION BY person.user_id
            ORDER BY event.country_code IS NULL, COUNT(*) DESC, event.country_code
        ) AS place
    FROM touched_logins AS person
    INNER JOIN logins AS event ON person.user_id = event.user_id
    GROUP BY
        person.user_id,
        event.country_code
) AS ranked
WHERE place = 1;

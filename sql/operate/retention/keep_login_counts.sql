-- name:    operate/retention/keep_login_counts
-- purpose: Count the logins of an hour for person_homes, before their rows go.
-- grain:   one row per user_id and country_code
-- reads:   logins
-- writes:  expired_logins
-- params:  hour datetime
INSERT INTO expired_logins (user_id, country_code, logins)
SELECT
    user_id,
    COALESCE(country_code, 'ZZ') AS country_code,
    COUNT(*) AS logins
FROM logins
WHERE occurred_hour = %(hour)s
GROUP BY
    user_id,
    COALESCE(country_code, 'ZZ')
ON DUPLICATE KEY UPDATE logins = expired_logins.logins + VALUES (logins)

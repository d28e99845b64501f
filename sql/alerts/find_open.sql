-- name:    alerts/find_open
-- purpose: When an open alert was raised, and whether it was sent.
-- grain:   one row per open alert of that name and subject
-- reads:   alerts
-- writes:  nothing
-- params:  name varchar, subject varchar
SELECT
    raised_at,
    is_sent
FROM alerts
WHERE
    name = %(name)s
    AND subject = %(subject)s
    AND resolved_at IS NULL

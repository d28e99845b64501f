-- name:    alerts/find_open
-- purpose: The time at which an open alert was raised.
-- grain:   one row per open alert of that name and subject
-- reads:   alerts
-- writes:  nothing
-- params:  name varchar, subject varchar
SELECT raised_at
FROM alerts
WHERE
    name = %(name)s
    AND subject = %(subject)s
    AND resolved_at IS NULL

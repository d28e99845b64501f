-- name:    alerts/find_open
-- purpose: Whether an alert is open already.
-- grain:   one row per open alert of that name and subject
-- reads:   alerts
-- writes:  nothing
-- params:  name varchar, subject varchar
SELECT alert_id
FROM alerts
WHERE
    name = %(name)s
    AND subject = %(subject)s
    AND resolved_at IS NULL

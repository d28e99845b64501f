-- name:    alerts/resolve
-- purpose: Resolve the open alert.
-- grain:   one row per open alert of that name and subject
-- reads:   nothing
-- writes:  alerts
-- params:  name varchar, subject varchar, now datetime
UPDATE alerts
SET resolved_at = %(now)s
WHERE
    name = %(name)s
    AND subject = %(subject)s
    AND resolved_at IS NULL

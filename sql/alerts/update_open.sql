-- name:    alerts/update_open
-- purpose: Update the message of an open alert.
-- grain:   one row per open alert of that name and subject
-- reads:   nothing
-- writes:  alerts
-- params:  name varchar, subject varchar, message text
UPDATE alerts
SET message = %(message)s
WHERE
    name = %(name)s
    AND subject = %(subject)s
    AND resolved_at IS NULL

-- name:    alerts/raise
-- purpose: Keep an alert; open until resolved_at is set.
-- grain:   one row per alert raised
-- reads:   nothing
-- writes:  alerts
-- params:  name varchar, subject varchar, severity varchar, message text, runbook varchar
INSERT INTO alerts (name, subject, severity, message, runbook)
VALUES (%(name)s, %(subject)s, %(severity)s, %(message)s, %(runbook)s)

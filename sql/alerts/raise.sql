-- name:    alerts/raise
-- purpose: Insert an alert; it is open until resolved_at is set.
-- grain:   one row per alert raised
-- reads:   nothing
-- writes:  alerts
-- params:  name varchar, subject varchar, severity varchar, message text, runbook varchar, now datetime
INSERT INTO alerts (name, subject, severity, message, runbook, raised_at)
VALUES (%(name)s, %(subject)s, %(severity)s, %(message)s, %(runbook)s, %(now)s)

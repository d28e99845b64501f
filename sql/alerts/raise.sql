-- name:    alerts/raise
-- purpose: Insert an alert; it is open until resolved_at is set.
-- grain:   one row per alert raised
-- reads:   nothing
-- writes:  alerts
-- params:  name varchar, subject varchar, severity varchar, message text, runbook varchar, now datetime, is_sent int
INSERT INTO alerts (name, subject, severity, message, runbook, raised_at, is_sent)
VALUES (%(name)s, %(subject)s, %(severity)s, %(message)s, %(runbook)s, %(now)s, %(is_sent)s)

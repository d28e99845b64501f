-- name:    alerts/silence
-- purpose: Silence an alert for a while.
-- grain:   one row per silence
-- reads:   nothing
-- writes:  alert_silences
-- params:  name varchar, subject varchar, reason varchar, silenced_by varchar, now datetime, until_at datetime
INSERT INTO alert_silences (name, subject, reason, silenced_by, silenced_at, until_at)
VALUES (%(name)s, %(subject)s, %(reason)s, %(silenced_by)s, %(now)s, %(until_at)s)

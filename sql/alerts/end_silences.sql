-- name:    alerts/end_silences
-- purpose: End the silences of an alert now.
-- grain:   one row per silence of that name and subject that has not ended
-- reads:   nothing
-- writes:  alert_silences
-- params:  name varchar, subject varchar, now datetime
UPDATE alert_silences
SET until_at = %(now)s
WHERE
    name = %(name)s
    AND subject = %(subject)s
    AND until_at > %(now)s

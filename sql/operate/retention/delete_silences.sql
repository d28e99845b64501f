-- name:    operate/retention/delete_silences
-- purpose: Delete silences that ended before a time.
-- grain:   one row per row
-- reads:   alert_silences
-- writes:  alert_silences
-- params:  before_time datetime, most int
DELETE FROM alert_silences
WHERE until_at < %(before_time)s
LIMIT %(most)s

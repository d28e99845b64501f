-- name:    operate/retention/delete_alerts
-- purpose: Delete alerts that ended before a time.
-- grain:   one row per row
-- reads:   alerts
-- writes:  alerts
-- params:  before_time datetime, most int
DELETE FROM alerts
WHERE resolved_at < %(before_time)s
LIMIT %(most)s

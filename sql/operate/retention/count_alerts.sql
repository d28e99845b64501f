-- name:    operate/retention/count_alerts
-- purpose: Count the alerts that ended before a time.
-- grain:   one row
-- reads:   alerts
-- writes:  nothing
-- params:  before_time datetime
SELECT COUNT(*) AS found
FROM alerts
WHERE resolved_at < %(before_time)s

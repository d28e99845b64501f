-- name:    operate/retention/count_silences
-- purpose: Count the silences that ended before a time.
-- grain:   one row
-- reads:   alert_silences
-- writes:  nothing
-- params:  before_time datetime
SELECT COUNT(*) AS found
FROM alert_silences
WHERE until_at < %(before_time)s

-- name:    operate/retention/count_quarantine
-- purpose: Count the quarantined rows from before a time.
-- grain:   one row
-- reads:   quarantine
-- writes:  nothing
-- params:  before_time datetime
SELECT COUNT(*) AS found
FROM quarantine
WHERE quarantined_at < %(before_time)s

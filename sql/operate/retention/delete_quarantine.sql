-- name:    operate/retention/delete_quarantine
-- purpose: Delete quarantined rows from before a time.
-- grain:   one row per row
-- reads:   quarantine
-- writes:  quarantine
-- params:  before_time datetime, most int
DELETE FROM quarantine
WHERE quarantined_at < %(before_time)s
LIMIT %(most)s

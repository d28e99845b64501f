-- name:    operate/retention/delete_messages
-- purpose: Delete messages of alerts from before a time that wait no longer.
-- grain:   one row per row
-- reads:   alert_messages
-- writes:  alert_messages
-- params:  before_time datetime, most int
DELETE FROM alert_messages
WHERE
    posted_at < %(before_time)s
    AND (delivered_at IS NOT NULL OR given_up_at IS NOT NULL)
LIMIT %(most)s

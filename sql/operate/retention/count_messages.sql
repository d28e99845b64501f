-- name:    operate/retention/count_messages
-- purpose: Count the messages of alerts from before a time that wait no longer.
-- grain:   one row
-- reads:   alert_messages
-- writes:  nothing
-- params:  before_time datetime
SELECT COUNT(*) AS found
FROM alert_messages
WHERE
    posted_at < %(before_time)s
    AND (delivered_at IS NOT NULL OR given_up_at IS NOT NULL)

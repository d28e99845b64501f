-- name:    alerts/give_up
-- purpose: Give up messages that are too old to be useful.
-- grain:   one row per message and receiver
-- reads:   nothing
-- writes:  alert_messages
-- params:  now datetime, before_time datetime
UPDATE alert_messages
SET given_up_at = %(now)s
WHERE
    delivered_at IS NULL
    AND given_up_at IS NULL
    AND posted_at < %(before_time)s

-- name:    alerts/give_up_message
-- purpose: Give up a message that its receiver refuses; changes no row if it is given up or delivered.
-- grain:   at most one row
-- reads:   nothing
-- writes:  alert_messages
-- params:  message_id bigint, now datetime
UPDATE alert_messages
SET given_up_at = %(now)s
WHERE
    message_id = %(message_id)s
    AND delivered_at IS NULL
    AND given_up_at IS NULL

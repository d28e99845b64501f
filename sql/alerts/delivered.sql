-- name:    alerts/delivered
-- purpose: Note that a receiver has a message.
-- grain:   one row
-- reads:   nothing
-- writes:  alert_messages
-- params:  message_id bigint, now datetime
UPDATE alert_messages
SET delivered_at = %(now)s
WHERE message_id = %(message_id)s

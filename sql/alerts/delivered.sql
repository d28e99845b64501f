-- name:    alerts/delivered
-- purpose: Mark a message as delivered to its receiver.
-- grain:   one row
-- reads:   nothing
-- writes:  alert_messages
-- params:  message_id bigint, now datetime
UPDATE alert_messages
SET delivered_at = %(now)s
WHERE message_id = %(message_id)s

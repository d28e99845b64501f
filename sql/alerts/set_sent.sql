-- name:    alerts/set_sent
-- purpose: Note that an alert is sent after its silence.
-- grain:   one row
-- reads:   nothing
-- writes:  alerts
-- params:  alert_id bigint
UPDATE alerts
SET is_sent = 1
WHERE alert_id = %(alert_id)s

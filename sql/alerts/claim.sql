-- name:    alerts/claim
-- purpose: Be the one that sends a message now: of two that have read the same attempts, one changes the row.
-- grain:   one row, or none
-- reads:   nothing
-- writes:  alert_messages
-- params:  message_id bigint, attempts int, next_try_at datetime
UPDATE alert_messages
SET
    attempts = attempts + 1,
    next_try_at = %(next_try_at)s
WHERE
    message_id = %(message_id)s
    AND attempts = %(attempts)s
    AND delivered_at IS NULL

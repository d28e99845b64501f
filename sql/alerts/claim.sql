-- name:    alerts/claim
-- purpose: Claim a message by compare-and-set: of two processes that read the same attempts, only one changes the row.
-- grain:   at most one row
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

-- name:    alerts/next_message
-- purpose: The oldest undelivered message of a receiver; later messages wait for it.
-- grain:   at most one row
-- reads:   alert_messages
-- writes:  nothing
-- params:  receiver varchar
SELECT
    message_id,
    title,
    body,
    attempts,
    doubtful,
    next_try_at
FROM alert_messages
WHERE
    receiver = %(receiver)s
    AND delivered_at IS NULL
    AND given_up_at IS NULL
ORDER BY message_id
LIMIT 1

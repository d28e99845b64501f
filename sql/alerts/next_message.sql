-- name:    alerts/next_message
-- purpose: The oldest message that a receiver does not have yet; later ones wait for it.
-- grain:   one row, or none
-- reads:   alert_messages
-- writes:  nothing
-- params:  receiver varchar
SELECT
    message_id,
    title,
    body,
    attempts,
    next_try_at
FROM alert_messages
WHERE
    receiver = %(receiver)s
    AND delivered_at IS NULL
    AND given_up_at IS NULL
ORDER BY message_id
LIMIT 1

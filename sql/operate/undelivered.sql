-- name:    operate/undelivered
-- purpose: Count the messages of the last days that a receiver has not received.
-- grain:   one row
-- reads:   alert_messages
-- writes:  nothing
-- params:  since datetime

SELECT
    COUNT(CASE WHEN given_up_at IS NULL THEN 1 END) AS waiting,
    COUNT(given_up_at) AS given_up
FROM alert_messages
WHERE
    delivered_at IS NULL
    AND posted_at >= %(since)s

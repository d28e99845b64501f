-- name:    alerts/list_unsent
-- purpose: The open alerts that nobody has been sent, because they were silenced.
-- grain:   one row per alert, oldest first
-- reads:   alerts
-- writes:  nothing
-- params:  none
SELECT
    alert_id,
    name,
    subject,
    message,
    raised_at
FROM alerts
WHERE
    resolved_at IS NULL
    AND is_sent = 0
ORDER BY alert_id
LIMIT 200

-- name:    alerts/list_open
-- purpose: The open alerts.
-- grain:   one row per open alert, newest first
-- reads:   alerts
-- writes:  nothing
-- params:  none
SELECT
    alert_id,
    name,
    subject,
    severity,
    message,
    runbook,
    raised_at,
    resolved_at
FROM alerts
WHERE resolved_at IS NULL
ORDER BY alert_id DESC
LIMIT 200

-- name:    alerts/list_recent
-- purpose: The newest alerts, open or resolved.
-- grain:   one row per alert, newest first
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
ORDER BY alert_id DESC
LIMIT 100

-- name:    alerts/list_silences
-- purpose: The silences that have not ended.
-- grain:   one row per silence, the one that ends last first
-- reads:   alert_silences
-- writes:  nothing
-- params:  now datetime
SELECT
    name,
    subject,
    reason,
    silenced_by,
    until_at
FROM alert_silences
WHERE until_at > %(now)s
ORDER BY
    until_at DESC,
    silence_id DESC
LIMIT 200

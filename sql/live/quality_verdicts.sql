-- name:    live/quality_verdicts
-- purpose: The newest hour that check_quality has judged, of each table and of the rollups.
-- grain:   one row per table with a verdict, by name
-- reads:   dq_results
-- writes:  nothing
-- params:  none
SELECT
    result.table_name,
    result.occurred_hour,
    MAX(result.checked_at) AS checked_at,
    COUNT(*) AS expectations,
    SUM(CASE WHEN result.is_met = 0 AND result.severity = 'critical' THEN 1 ELSE 0 END) AS critical_unmet,
    SUM(CASE WHEN result.is_met = 0 AND result.severity <> 'critical' THEN 1 ELSE 0 END) AS warnings_unmet
FROM dq_results AS result
INNER JOIN (
    SELECT
        table_name,
        MAX(occurred_hour) AS occurred_hour
    FROM dq_results
    GROUP BY table_name
) AS newest ON result.table_name = newest.table_name AND result.occurred_hour = newest.occurred_hour
GROUP BY
    result.table_name,
    result.occurred_hour
ORDER BY result.table_name

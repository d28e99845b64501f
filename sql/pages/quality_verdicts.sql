-- name:    pages/quality_verdicts
-- purpose: The newest hour of a table, or of the rollups, that check_quality has checked.
-- grain:   one row; none before the first check
-- reads:   dq_results
-- writes:  nothing
-- params:  table_name varchar

-- One table per statement: for all tables at once, the server would read every stored hour.
SELECT
    result.occurred_hour,
    MAX(result.checked_at) AS checked_at,
    COUNT(*) AS expectations,
    SUM(CASE WHEN result.is_met = 0 AND result.severity = 'critical' THEN 1 ELSE 0 END) AS critical_unmet,
    SUM(CASE WHEN result.is_met = 0 AND result.severity <> 'critical' THEN 1 ELSE 0 END) AS warnings_unmet
FROM dq_results AS result
WHERE
    result.table_name = %(table_name)s
    AND result.occurred_hour = (
        SELECT MAX(judged.occurred_hour)
        FROM dq_results AS judged
        WHERE judged.table_name = %(table_name)s
    )
GROUP BY result.occurred_hour

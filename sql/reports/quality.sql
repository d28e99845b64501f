-- name:    reports/quality
-- purpose: The verdicts on a period's hours, for the tables that a brand's numbers are counted from.
-- grain:   one row per table, measure and severity
-- reads:   dq_results
-- writes:  nothing
-- params:  from_time datetime, to_time datetime
SELECT
    table_name,
    measure,
    severity,
    COUNT(DISTINCT occurred_hour) AS hours,
    COUNT(DISTINCT CASE WHEN is_met = 0 THEN occurred_hour END) AS unmet_hours
FROM dq_results
WHERE
    table_name IN ('pins', 'repins', 'comments')
    AND occurred_hour >= %(from_time)s
    AND occurred_hour < %(to_time)s
GROUP BY
    table_name,
    measure,
    severity
ORDER BY
    table_name,
    measure,
    severity

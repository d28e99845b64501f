-- name:    quality/books/rollups
-- purpose: The hours in which the rollups were compared with a count of the rows, and those in which they differ.
-- grain:   one row per hour
-- reads:   dq_results
-- writes:  nothing
-- params:  from_hour datetime
SELECT
    occurred_hour,
    MIN(is_met) AS is_met,
    MIN(CASE WHEN is_met = 0 THEN measure END) AS measure,
    MIN(CASE WHEN is_met = 0 THEN sample END) AS sample
FROM dq_results
WHERE
    table_name = 'rollups'
    AND occurred_hour >= %(from_hour)s
GROUP BY occurred_hour
ORDER BY occurred_hour

-- name:    quality/hours
-- purpose: The verdict on each checked hour of a period.
-- grain:   one row per table and hour
-- reads:   dq_results
-- writes:  nothing
-- params:  from_hour datetime
SELECT
    table_name,
    occurred_hour,
    MIN(is_met) AS is_met
FROM dq_results
WHERE occurred_hour >= %(from_hour)s
GROUP BY
    table_name,
    occurred_hour

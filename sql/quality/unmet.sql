-- name:    quality/unmet
-- purpose: The unmet expectations of a period's hours.
-- grain:   one row per table, hour and expectation
-- reads:   dq_results
-- writes:  nothing
-- params:  from_hour datetime
SELECT
    table_name,
    occurred_hour,
    measure,
    severity,
    observed,
    expected,
    sample
FROM dq_results
WHERE
    is_met = 0
    AND occurred_hour >= %(from_hour)s
ORDER BY
    table_name,
    occurred_hour,
    measure,
    expectation

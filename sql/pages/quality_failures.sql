-- name:    pages/quality_failures
-- purpose: The unmet expectations of recent hours.
-- grain:   one row per table, hour and expectation, newest hour first, critical ones before warnings
-- reads:   dq_results
-- writes:  nothing
-- params:  from_hour datetime, top int
SELECT
    table_name,
    occurred_hour,
    measure,
    severity,
    observed,
    expected,
    sample,
    checked_at
FROM dq_results
WHERE
    is_met = 0
    AND occurred_hour >= %(from_hour)s
ORDER BY
    occurred_hour DESC,
    severity ASC,
    table_name ASC,
    measure ASC,
    expectation ASC
LIMIT %(top)s

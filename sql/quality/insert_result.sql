-- name:    quality/insert_result
-- purpose: Store the verdict of one expectation on an hour of a table.
-- grain:   one row per table, hour and expectation
-- reads:   nothing
-- writes:  dq_results
-- params:  table_name varchar, hour datetime, measure varchar, expectation varchar, severity varchar, is_met tinyint, observed text, expected text, sample text, checked_at datetime
INSERT INTO dq_results (
    table_name,
    occurred_hour,
    measure,
    expectation,
    severity,
    is_met,
    observed,
    expected,
    sample,
    checked_at
) VALUES (
    %(table_name)s,
    %(hour)s,
    %(measure)s,
    %(expectation)s,
    %(severity)s,
    %(is_met)s,
    %(observed)s,
    %(expected)s,
    %(sample)s,
    %(checked_at)s
)

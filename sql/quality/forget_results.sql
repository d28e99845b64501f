-- name:    quality/forget_results
-- purpose: Delete the verdicts on an hour of a table before they are written again, and expired ones.
-- grain:   one row per expectation
-- reads:   dq_results
-- writes:  dq_results
-- params:  table_name varchar, hour datetime, before_hour datetime
DELETE FROM dq_results
WHERE
    table_name = %(table_name)s
    AND (occurred_hour = %(hour)s OR occurred_hour < %(before_hour)s)

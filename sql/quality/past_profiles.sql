-- name:    quality/past_profiles
-- purpose: The profiles of earlier hours of a table.
-- grain:   one row per hour and measure
-- reads:   dq_profiles
-- writes:  nothing
-- params:  table_name varchar, from_hour datetime, to_hour datetime
SELECT
    occurred_hour,
    measure,
    value,
    shares
FROM dq_profiles
WHERE
    table_name = %(table_name)s
    AND occurred_hour >= %(from_hour)s
    AND occurred_hour < %(to_hour)s

-- name:    quality/insert_profile
-- purpose: Store one measure of an hour's profile.
-- grain:   one row per hour and measure
-- reads:   nothing
-- writes:  dq_profiles
-- params:  table_name varchar, hour datetime, measure varchar, value double, shares text
INSERT INTO dq_profiles (
    table_name,
    occurred_hour,
    measure,
    value,
    shares
) VALUES (
    %(table_name)s,
    %(hour)s,
    %(measure)s,
    %(value)s,
    %(shares)s
)

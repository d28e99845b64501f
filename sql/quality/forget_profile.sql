-- name:    quality/forget_profile
-- purpose: Delete an hour's profile before it is written again, and profiles that are too old to compare with.
-- grain:   one row per hour and measure
-- reads:   dq_profiles
-- writes:  dq_profiles
-- params:  table_name varchar, hour datetime, before_hour datetime
DELETE FROM dq_profiles
WHERE
    table_name = %(table_name)s
    AND (occurred_hour = %(hour)s OR occurred_hour < %(before_hour)s)

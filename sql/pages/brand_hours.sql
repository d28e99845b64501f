-- name:    pages/brand_hours
-- purpose: Engagement with a brand's pins in each hour of a period.
-- grain:   one row per hour with events
-- reads:   brand_hourly
-- writes:  nothing
-- params:  brand_id bigint, from_time datetime, to_time datetime
SELECT
    hour,
    pins,
    repins,
    comments,
    updated_at
FROM brand_hourly
WHERE
    brand_id = %(brand_id)s
    AND hour >= %(from_time)s
    AND hour < %(to_time)s

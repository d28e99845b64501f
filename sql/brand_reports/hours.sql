-- name:    brand_reports/hours
-- purpose: What happened with the pins of some brands, hour by hour, in a period and in the one before.
-- grain:   one row per brand and UTC hour with events
-- reads:   brand_hourly
-- writes:  nothing
-- params:  brand_ids list of bigint, before_time datetime, to_time datetime
SELECT
    brand_id,
    hour,
    repins,
    comments,
    pins
FROM brand_hourly
WHERE
    brand_id IN %(brand_ids)s
    AND hour >= %(before_time)s
    AND hour < %(to_time)s

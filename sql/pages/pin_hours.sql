-- name:    pages/pin_hours
-- purpose: Engagement with a pin in each hour of a period.
-- grain:   one row per hour with events, newest first
-- reads:   pin_hourly
-- writes:  nothing
-- params:  pin_id bigint, from_time datetime, to_time datetime
SELECT
    hour,
    repins,
    comments
FROM pin_hourly
WHERE
    pin_id = %(pin_id)s
    AND hour >= %(from_time)s
    AND hour < %(to_time)s
ORDER BY hour DESC

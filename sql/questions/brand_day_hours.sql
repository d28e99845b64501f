-- name:    questions/brand_day_hours
-- purpose: A brand's day, hour by hour.
-- grain:   24 rows, midnight first; hours without events have 0
-- reads:   clock_hours, brand_hourly
-- writes:  nothing
-- params:  brand_id bigint, day date
-- same as: reports/hours
SELECT
    CAST(%(day)s AS DATETIME) + INTERVAL clock.hour_of_day HOUR AS hour,
    COALESCE(hourly.repins + hourly.comments, 0) AS engagement,
    COALESCE(hourly.repins, 0) AS repins,
    COALESCE(hourly.comments, 0) AS comments,
    COALESCE(hourly.pins, 0) AS pins,
    COALESCE(hourly.unique_people, 0) AS unique_people
FROM clock_hours AS clock
LEFT JOIN brand_hourly AS hourly
    ON
        hourly.brand_id = %(brand_id)s
        AND hourly.hour = CAST(%(day)s AS DATETIME) + INTERVAL clock.hour_of_day HOUR
ORDER BY clock.hour_of_day

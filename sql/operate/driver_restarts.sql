-- name:    operate/driver_restarts
-- purpose: The number of driver restarts counted at the beginning of a period.
-- grain:   one row
-- reads:   health
-- writes:  nothing
-- params:  from_time datetime
SELECT MIN(value) AS restarts
FROM health
WHERE
    measure = 'driver_restarts'
    AND subject = 'stream_engagement'
    AND measured_at >= %(from_time)s

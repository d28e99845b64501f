-- name:    operate/retention/count_pins
-- purpose: Count the cached pins that were neither saved nor in an event since a time.
-- grain:   one row
-- reads:   pin_cache, pin_hourly
-- writes:  nothing
-- params:  before_time datetime
SELECT COUNT(*) AS found
FROM pin_cache
WHERE
    fetched_at < %(before_time)s
    AND NOT EXISTS (
        SELECT 1
        FROM pin_hourly AS used
        WHERE
            used.pin_id = pin_cache.pin_id
            AND used.hour >= %(before_time)s
    )

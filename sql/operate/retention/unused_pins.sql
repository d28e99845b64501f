-- name:    operate/retention/unused_pins
-- purpose: Some cached pins that were neither saved nor in an event since a time, by id.
-- grain:   one row per pin_id
-- reads:   pin_cache, pin_hourly
-- writes:  nothing
-- params:  before_time datetime, after_id bigint, most int
SELECT pin_id
FROM pin_cache
WHERE
    pin_id > %(after_id)s
    AND fetched_at < %(before_time)s
    AND NOT EXISTS (
        SELECT 1
        FROM pin_hourly AS used
        WHERE
            used.pin_id = pin_cache.pin_id
            AND used.hour >= %(before_time)s
    )
ORDER BY pin_id
LIMIT %(most)s

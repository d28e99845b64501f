-- name:    operate/retention/delete_pins
-- purpose: Delete cached pins, unless they were saved meanwhile. The stream asks the Pin API for one that it needs.
-- grain:   one row per pin_id
-- reads:   nothing
-- writes:  pin_cache
-- params:  before_time datetime, pin_ids list of bigint
DELETE FROM pin_cache
WHERE
    pin_id IN %(pin_ids)s
    AND fetched_at < %(before_time)s

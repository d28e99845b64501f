-- name:    erase/pins
-- purpose: Delete the cached pins that a person made.
-- grain:   one row per pin
-- reads:   nothing
-- writes:  pin_cache
-- params:  user_id bigint
DELETE FROM pin_cache
WHERE creator_id = %(user_id)s

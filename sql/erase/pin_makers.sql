-- name:    erase/pin_makers
-- purpose: Forget who made the cached pins of a person.
-- grain:   one row per pin
-- reads:   nothing
-- writes:  pin_cache
-- params:  user_id bigint
UPDATE pin_cache
SET creator_id = NULL
WHERE creator_id = %(user_id)s

-- name:    pages/pins_of_others
-- purpose: Those of some pins that had repins in some hours while they were of other brands than these.
-- grain:   one row per pin
-- reads:   repins
-- writes:  nothing
-- params:  pin_ids list of bigint, brands list of bigint, hours list of datetime

-- Repins whose pin was not known have no brand, and get the pin's when it is.
SELECT DISTINCT pin_id
FROM repins
WHERE
    occurred_hour IN %(hours)s
    AND pin_id IN %(pin_ids)s
    AND brand_id NOT IN %(brands)s

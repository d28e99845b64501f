-- name:    reports/titles
-- purpose: The titles and current categories of pins.
-- grain:   one row per known pin
-- reads:   pin_cache
-- writes:  nothing
-- params:  pin_ids list of bigint
SELECT
    pin_id,
    title,
    category
FROM pin_cache
WHERE pin_id IN %(pin_ids)s

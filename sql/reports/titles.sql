-- name:    reports/titles
-- purpose: Titles of pins, and their category now.
-- grain:   one row per pin that is known
-- reads:   pin_cache
-- writes:  nothing
-- params:  pin_ids list of bigint
SELECT
    pin_id,
    title,
    category
FROM pin_cache
WHERE pin_id IN %(pin_ids)s

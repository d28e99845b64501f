-- name:    pages/pins
-- purpose: What is known of some pins: the newest version of each, with the name of its brand.
-- grain:   one row per known pin
-- reads:   pin_cache, brands
-- writes:  nothing
-- params:  pin_ids list of bigint

-- FORCE INDEX, because MariaDB reads the whole table if its statistics are of before it was filled.
-- noqa: disable=PRS
SELECT
    pin.pin_id,
    pin.title,
    pin.description,
    pin.category,
    pin.link,
    pin.image_url,
    pin.created_at,
    pin.brand_id,
    brand.name AS brand_name
FROM pin_cache AS pin
--mariadb: FORCE INDEX (PRIMARY)
LEFT JOIN brands AS brand ON pin.brand_id = brand.brand_id
WHERE pin.pin_id IN %(pin_ids)s

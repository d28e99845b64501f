-- name:    reports/titles
-- purpose: The titles and current categories of pins.
-- grain:   one row per known pin
-- reads:   pin_cache
-- writes:  nothing
-- params:  pin_ids list of bigint

-- FORCE INDEX, because MariaDB reads the whole table if its statistics are of before it was filled.
-- noqa: disable=PRS
SELECT
    pin_id,
    title,
    category
FROM pin_cache
--mariadb: FORCE INDEX (PRIMARY)
WHERE pin_id IN %(pin_ids)s

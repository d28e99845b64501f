-- name:    enrich/select_versions
-- purpose: Which version of each of some pins pin_cache has.
-- grain:   one row per pin_id
-- reads:   pin_cache
-- writes:  nothing
-- params:  pin_ids list of bigint

-- FORCE INDEX, because MariaDB reads the whole table if its statistics are of before it was filled.
-- noqa: disable=PRS
SELECT
    pin_id,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at) AS occurred_us,
    kafka_partition,
    kafka_offset
FROM pin_cache
--mariadb: FORCE INDEX (PRIMARY)
WHERE pin_id IN %(pin_ids)s

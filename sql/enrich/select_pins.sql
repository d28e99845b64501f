-- name:    enrich/select_pins
-- purpose: Look up full pins by their ids, for the enrichment of repins and comments.
-- grain:   one row per pin_id
-- reads:   pin_cache
-- writes:  nothing
-- params:  pin_ids list of bigint

-- FORCE INDEX, because MariaDB reads the whole table if its statistics are of before it was filled.
-- noqa: disable=PRS
SELECT
    pin_id,
    creator_id,
    board_id,
    brand_id,
    category,
    title,
    description,
    link,
    image_url,
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) AS created_us, -- null for a zero date
    TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at) AS occurred_us,
    kafka_partition,
    kafka_offset
FROM pin_cache
--mariadb: FORCE INDEX (PRIMARY)
WHERE pin_id IN %(pin_ids)s

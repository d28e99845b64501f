-- name:    enrich/select_pins
-- purpose: Look up full pins by their ids, for the enrichment of repins and comments.
-- grain:   one row per pin_id
-- reads:   pin_cache
-- writes:  nothing
-- params:  pin_ids list of bigint
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
    created_at
FROM pin_cache
WHERE pin_id IN %(pin_ids)s

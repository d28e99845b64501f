-- name:    enrich/upsert_pins
-- purpose: Save a full pin; an existing row of the pin is replaced.
-- grain:   one row per pin_id
-- reads:   nothing
-- writes:  pin_cache
-- params:  pin_id bigint, creator_id bigint, board_id bigint, brand_id bigint, category varchar, title varchar, description varchar, link varchar, image_url varchar, created_at datetime(6)
INSERT INTO pin_cache (
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
)
VALUES (
    %(pin_id)s,
    %(creator_id)s,
    %(board_id)s,
    %(brand_id)s,
    %(category)s,
    %(title)s,
    %(description)s,
    %(link)s,
    %(image_url)s,
    %(created_at)s
)
ON DUPLICATE KEY UPDATE
    creator_id = VALUES (creator_id),
    board_id = VALUES (board_id),
    brand_id = VALUES (brand_id),
    category = VALUES (category),
    title = VALUES (title),
    description = VALUES (description),
    link = VALUES (link),
    image_url = VALUES (image_url),
    created_at = VALUES (created_at),
    fetched_at = CURRENT_TIMESTAMP(6)

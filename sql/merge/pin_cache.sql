-- name:    merge/pin_cache
-- purpose: Save the pins that a slice embeds, including those that the stream could not save.
-- grain:   one row per pin_id
-- reads:   slice_pins
-- writes:  pin_cache
-- params:  none

-- An unchanged row is not written.
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
FROM slice_pins
ON DUPLICATE KEY UPDATE
    creator_id = VALUES (creator_id),
    board_id = VALUES (board_id),
    brand_id = VALUES (brand_id),
    category = VALUES (category),
    title = VALUES (title),
    description = VALUES (description),
    link = VALUES (link),
    image_url = VALUES (image_url),
    created_at = VALUES (created_at)

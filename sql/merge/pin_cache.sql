-- name:    merge/pin_cache
-- purpose: Save the pins that a slice embeds, including those that the stream could not save.
-- grain:   one row per pin_id
-- reads:   staging_pins
-- writes:  pin_cache
-- params:  slice_id bigint

-- Oldest first, so that the newest of several versions of a pin wins. An unchanged row is not written.
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
    staged.pin_id,
    staged.pin_creator_id,
    staged.pin_board_id,
    staged.brand_id,
    staged.category,
    staged.title,
    staged.description,
    staged.link,
    staged.image_url,
    staged.pin_created_at
FROM staging_pins AS staged
WHERE
    staged.slice_id = %(slice_id)s
    AND staged.pin_id IS NOT NULL
ORDER BY staged.kafka_timestamp
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

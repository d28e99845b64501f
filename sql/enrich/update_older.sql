-- name:    enrich/update_older
-- purpose: Replace the pins of which there is a newer version. Any version is newer than an answer of the Pin API.
-- grain:   one row per pin_id
-- reads:   pin_versions
-- writes:  pin_cache
-- params:  none
UPDATE pin_cache AS pin
INNER JOIN pin_versions AS version ON pin.pin_id = version.pin_id
SET
    pin.creator_id = version.creator_id,
    pin.board_id = version.board_id,
    pin.brand_id = version.brand_id,
    pin.category = version.category,
    pin.title = version.title,
    pin.description = version.description,
    pin.link = version.link,
    pin.image_url = version.image_url,
    pin.created_at = version.created_at,
    pin.fetched_at = version.fetched_at,
    pin.occurred_at = version.occurred_at,
    pin.kafka_partition = version.kafka_partition,
    pin.kafka_offset = version.kafka_offset
WHERE
    pin.occurred_at IS NULL
    OR version.occurred_at > pin.occurred_at
    OR (
        version.occurred_at = pin.occurred_at
        AND (
            version.kafka_partition > pin.kafka_partition
            OR (version.kafka_partition = pin.kafka_partition AND version.kafka_offset > pin.kafka_offset)
        )
    )

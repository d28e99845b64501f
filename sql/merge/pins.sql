-- name:    merge/pins
-- purpose: Upsert newly staged pins; the same slice twice changes nothing.
-- grain:   one row per event_id
-- reads:   staging_pins, merge_plan
-- writes:  pins
-- params:  slice_id bigint

-- What is not in the plan is a new event. A change carries every column, so replacing the row is the whole upsert.
REPLACE INTO pins (
    event_id,
    occurred_at,
    occurred_hour,
    user_id,
    pin_id,
    pin_creator_id,
    pin_board_id,
    brand_id,
    category,
    title,
    description,
    link,
    image_url,
    pin_created_at,
    country_code,
    region,
    city,
    latitude,
    longitude,
    ip_network,
    geo_version,
    kafka_partition,
    kafka_offset,
    kafka_timestamp
)
SELECT
    staged.event_id,
    staged.occurred_at,
    staged.occurred_hour,
    staged.user_id,
    staged.pin_id,
    staged.pin_creator_id,
    staged.pin_board_id,
    staged.brand_id,
    staged.category,
    staged.title,
    staged.description,
    staged.link,
    staged.image_url,
    staged.pin_created_at,
    staged.country_code,
    staged.region,
    staged.city,
    staged.latitude,
    staged.longitude,
    staged.ip_network,
    staged.geo_version,
    staged.kafka_partition,
    staged.kafka_offset,
    staged.kafka_timestamp
FROM staging_pins AS staged
LEFT JOIN merge_plan AS planned ON staged.row_num = planned.row_num
WHERE
    staged.slice_id = %(slice_id)s
    AND COALESCE(planned.action, 'insert') IN ('insert', 'update')

-- name:    merge/comments
-- purpose: Upsert newly staged comments; the same slice twice changes nothing.
-- grain:   one row per event_id
-- reads:   staging_comments, merge_plan
-- writes:  comments
-- params:  slice_id bigint

-- What is not in the plan is a new event. A change carries every column, so replacing the row is the whole upsert.
REPLACE INTO comments (
    event_id,
    occurred_at,
    occurred_hour,
    user_id,
    pin_id,
    text,
    pin_creator_id,
    brand_id,
    category,
    pin_status,
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
    staged.text,
    staged.pin_creator_id,
    staged.brand_id,
    staged.category,
    staged.pin_status,
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
FROM staging_comments AS staged
LEFT JOIN merge_plan AS planned ON staged.row_num = planned.row_num
WHERE
    staged.slice_id = %(slice_id)s
    AND COALESCE(planned.action, 'insert') IN ('insert', 'update')

-- name:    rollup/add_pin_hourly
-- purpose: Add the sums of increments to the buckets of pin_hourly.
-- grain:   one row per pin_id, hour
-- reads:   added_pin_hourly
-- writes:  pin_hourly
-- params:  none

-- Once only: the increments leave the queue in the same transaction.
INSERT INTO pin_hourly (
    pin_id,
    hour,
    pins,
    repins,
    comments,
    engagement
)
SELECT
    pin_id,
    hour,
    pins,
    repins,
    comments,
    repins + comments AS engagement
FROM added_pin_hourly
ON DUPLICATE KEY UPDATE
    pins = pin_hourly.pins + VALUES (pins),
    repins = pin_hourly.repins + VALUES (repins),
    comments = pin_hourly.comments + VALUES (comments),
    engagement = pin_hourly.engagement + VALUES (engagement),
    updated_at = CURRENT_TIMESTAMP(6)

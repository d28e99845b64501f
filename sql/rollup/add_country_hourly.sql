-- name:    rollup/add_country_hourly
-- purpose: Add the sums of increments to the buckets of country_hourly.
-- grain:   one row per hour, country_code
-- reads:   added_country_hourly
-- writes:  country_hourly
-- params:  none

-- Once only: the increments leave the queue in the same transaction.
INSERT INTO country_hourly (
    hour,
    country_code,
    pins,
    repins,
    comments
)
SELECT
    hour,
    country_code,
    pins,
    repins,
    comments
FROM added_country_hourly
ON DUPLICATE KEY UPDATE
    pins = country_hourly.pins + VALUES (pins),
    repins = country_hourly.repins + VALUES (repins),
    comments = country_hourly.comments + VALUES (comments),
    updated_at = CURRENT_TIMESTAMP(6)

-- name:    reports/zones
-- purpose: The time zones of brands; all others have UTC.
-- grain:   one row per brand with another zone than UTC
-- reads:   brands
-- writes:  nothing
-- params:  none
SELECT
    brand_id,
    time_zone
FROM brands
WHERE time_zone <> 'UTC'

-- name:    reports/zone
-- purpose: The name and time zone of a brand.
-- grain:   at most one row
-- reads:   brands
-- writes:  nothing
-- params:  brand_id bigint
SELECT
    name,
    time_zone
FROM brands
WHERE brand_id = %(brand_id)s

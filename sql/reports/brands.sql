-- name:    reports/brands
-- purpose: The brands of a time zone to report on: every known brand, and unnamed ones, which have UTC, with events in the period or the one before.
-- grain:   one row per brand, by brand_id
-- reads:   brands, brand_daily
-- writes:  nothing
-- params:  from_day date, to_day date, time_zone varchar
SELECT
    listed.brand_id,
    brand.name,
    brand.contact
FROM (
    SELECT brand_id
    FROM brands
    UNION
    SELECT brand_id
    FROM brand_daily
    WHERE day >= %(from_day)s AND day < %(to_day)s
) AS listed
LEFT JOIN brands AS brand ON listed.brand_id = brand.brand_id
WHERE COALESCE(brand.time_zone, 'UTC') = %(time_zone)s
ORDER BY listed.brand_id

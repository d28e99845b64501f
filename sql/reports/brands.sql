-- name:    reports/brands
-- purpose: Whom to report to: every known brand, and those without a name that had events in a period or before.
-- grain:   one row per brand, by its number
-- reads:   brands, brand_daily
-- writes:  nothing
-- params:  from_day date, to_day date
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
ORDER BY listed.brand_id

-- name:    pages/reports_brand
-- purpose: Whether a brand exists: it has a name, or a report.
-- grain:   one row per table that has the brand
-- reads:   brands, brand_reports
-- writes:  nothing
-- params:  brand_id bigint
SELECT brand_id
FROM brands
WHERE brand_id = %(brand_id)s
UNION ALL
SELECT MIN(brand_id) AS brand_id
FROM brand_reports
WHERE brand_id = %(brand_id)s
HAVING MIN(brand_id) IS NOT NULL

-- name:    pages/reports_brand
-- purpose: Whether there is such a brand: it has a name, or a report.
-- grain:   one row per place where it is known
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

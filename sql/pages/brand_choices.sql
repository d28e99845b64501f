-- name:    pages/brand_choices
-- purpose: The brands in a filter: those that are named, and those that only have events.
-- grain:   one row per brand, by name, those without a name at the end
-- reads:   brands, brand_daily
-- writes:  nothing
-- params:  all_brands tinyint, brands bigint list
SELECT
    listed.brand_id,
    brand.name
FROM (
    SELECT brand_id
    FROM brands
    UNION
    SELECT DISTINCT brand_id
    FROM brand_daily
) AS listed
LEFT JOIN brands AS brand ON listed.brand_id = brand.brand_id
WHERE %(all_brands)s = 1 OR listed.brand_id IN %(brands)s
ORDER BY
    brand.name IS NULL ASC,
    brand.name ASC,
    listed.brand_id ASC
LIMIT 5000

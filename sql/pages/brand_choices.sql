-- name:    pages/brand_choices
-- purpose: The brands in a filter.
-- grain:   one row per brand that has a name, by name
-- reads:   brands
-- writes:  nothing
-- params:  all_brands tinyint, brands bigint list
SELECT
    brand_id,
    name
FROM brands
WHERE %(all_brands)s = 1 OR brand_id IN %(brands)s
ORDER BY
    name ASC,
    brand_id ASC
LIMIT 5000

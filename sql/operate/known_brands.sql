-- name:    operate/known_brands
-- purpose: Those of some brands that are known.
-- grain:   one row per brand
-- reads:   brands
-- writes:  nothing
-- params:  brand_ids bigint list
SELECT
    brand_id,
    name
FROM brands
WHERE brand_id IN %(brand_ids)s
ORDER BY brand_id

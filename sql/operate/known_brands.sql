-- name:    operate/known_brands
-- purpose: Those of some brands that are known: named, or with events.
-- grain:   one row per brand
-- reads:   brands, brand_daily
-- writes:  nothing
-- params:  brand_ids bigint list
SELECT
    known.brand_id,
    brand.name
FROM (
    SELECT brand_id
    FROM brands
    WHERE brand_id IN %(brand_ids)s
    UNION
    SELECT DISTINCT brand_id
    FROM brand_daily
    WHERE brand_id IN %(brand_ids)s
) AS known
LEFT JOIN brands AS brand ON known.brand_id = brand.brand_id
ORDER BY known.brand_id

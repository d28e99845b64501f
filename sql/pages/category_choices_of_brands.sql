-- name:    pages/category_choices_of_brands
-- purpose: Categories of the brands' own pins of the recent past: choices for viewers bound to brands.
-- grain:   one row per category, by category
-- reads:   pins
-- writes:  nothing
-- params:  brands bigint, from_time datetime
SELECT DISTINCT category
FROM pins
WHERE
    brand_id IN %(brands)s
    AND occurred_hour >= %(from_time)s
    AND category IS NOT NULL
ORDER BY category ASC
LIMIT 500

-- name:    pages/reports_find
-- purpose: The brands whose name or number has a text, as the pages write both: Halden (17).
-- grain:   one row per brand
-- reads:   brands
-- writes:  nothing
-- params:  all_brands tinyint, brands bigint list, find varchar
SELECT brand_id
FROM brands
WHERE
    (%(all_brands)s = 1 OR brand_id IN %(brands)s)
    AND INSTR(
        LOWER(CONCAT(COALESCE(NULLIF(TRIM(name), ''), CONCAT('brand ', brand_id)), ' (', brand_id, ')')),
        LOWER(%(find)s)
    ) > 0

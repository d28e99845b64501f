-- name:    pages/reports_find
-- purpose: The brands with reports whose name or number has a text, as the pages write both: Halden (17), brand 70 (70).
-- grain:   one row per brand
-- reads:   brand_reports, brands
-- writes:  nothing
-- params:  all_brands tinyint, brands bigint list, find varchar

-- The brands first: an index has each once, so only their reports are read afterwards, not all.
SELECT reported.brand_id
FROM (
    SELECT DISTINCT brand_id
    FROM brand_reports
) AS reported
LEFT JOIN brands AS brand ON reported.brand_id = brand.brand_id
WHERE
    (%(all_brands)s = 1 OR reported.brand_id IN %(brands)s)
    AND INSTR(
        LOWER(
            CONCAT(
                COALESCE(NULLIF(TRIM(brand.name), ''), CONCAT('brand ', reported.brand_id)),
                ' (', reported.brand_id, ')'
            )
        ),
        LOWER(%(find)s)
    ) > 0

-- name:    questions/top_brands
-- purpose: The brands whose pins people engaged with most in a period.
-- grain:   one row per brand with engagement, most engaged first, then by brand_id
-- reads:   brand_hourly, brands
-- writes:  nothing
-- params:  from_time datetime, to_time datetime, top int

-- A period is the hours that start in [from_time, to_time), UTC.
SELECT
    ranked.brand_id,
    COALESCE(brand.name, CONCAT('brand ', ranked.brand_id)) AS brand_name,
    ranked.engagement,
    ranked.repins,
    ranked.comments,
    ranked.pins
FROM (
    SELECT
        brand_id,
        SUM(repins + comments) AS engagement,
        SUM(repins) AS repins,
        SUM(comments) AS comments,
        SUM(pins) AS pins
    FROM brand_hourly
    WHERE hour >= %(from_time)s AND hour < %(to_time)s
    GROUP BY brand_id
    HAVING SUM(repins + comments) > 0
) AS ranked
LEFT JOIN brands AS brand ON ranked.brand_id = brand.brand_id
ORDER BY
    ranked.engagement DESC,
    ranked.brand_id ASC
LIMIT %(top)s

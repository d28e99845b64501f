-- name:    local/top_brands
-- purpose: The brands with the most engagement of all time, for the terminal of `make run`.
-- grain:   one row per brand, most engaged first
-- reads:   brand_hourly, brands
-- writes:  nothing
-- params:  top int

SELECT
    COALESCE(brand.name, CONCAT('brand ', hourly.brand_id)) AS brand,
    SUM(hourly.repins) AS repins,
    SUM(hourly.comments) AS comments,
    SUM(hourly.pins) AS pins,
    -- Hourly people can't be added up, as one person may appear in several hours; the maximum of one hour is exact.
    MAX(hourly.unique_people) AS people_in_best_hour
FROM brand_hourly AS hourly
LEFT JOIN brands AS brand ON hourly.brand_id = brand.brand_id
GROUP BY hourly.brand_id, brand.name
ORDER BY SUM(hourly.repins) + SUM(hourly.comments) + SUM(hourly.pins) DESC, hourly.brand_id
LIMIT %(top)s

-- name:    rollup/touched
-- purpose: Reduce the touched rows to the buckets of each rollup.
-- grain:   one row per bucket
-- reads:   touched_rows, touched_brand_hours
-- writes:  touched_brand_hours, touched_brand_days, touched_category_hours, touched_pin_hours, touched_country_hours
-- params:  none
INSERT INTO touched_brand_hours (
    brand_id,
    hour
)
SELECT DISTINCT
    brand_id,
    occurred_hour
FROM touched_rows
WHERE brand_id IS NOT NULL;

INSERT INTO touched_brand_days (
    brand_id,
    day
)
SELECT DISTINCT
    brand_id,
    DATE(hour) AS day
FROM touched_brand_hours;

INSERT INTO touched_category_hours (
    category,
    hour
)
SELECT DISTINCT
    category,
    occurred_hour
FROM touched_rows;

INSERT INTO touched_pin_hours (
    pin_id,
    hour
)
SELECT DISTINCT
    pin_id,
    occurred_hour
FROM touched_rows
WHERE pin_id IS NOT NULL;

INSERT INTO touched_country_hours (
    country_code,
    hour
)
SELECT DISTINCT
    country_code,
    occurred_hour
FROM touched_rows;

-- name:    rollup/touch_buckets
-- purpose: Note the buckets (brand, category, country) of the taken slices' rows, from a staging table or left_rows.
-- grain:   one row per bucket
-- reads:   rolled_slices, $source
-- writes:  touched_brand_hours, touched_brand_days, touched_category_hours, touched_country_hours
-- params:  none
-- names:   source
INSERT IGNORE INTO touched_brand_hours (
    brand_id,
    hour
)
SELECT DISTINCT
    changed.brand_id,
    changed.occurred_hour
FROM rolled_slices AS rolled
INNER JOIN $source AS changed ON rolled.slice_id = changed.slice_id
WHERE changed.brand_id IS NOT NULL;

INSERT IGNORE INTO touched_brand_days (
    brand_id,
    day
)
SELECT DISTINCT
    brand_id,
    DATE(hour) AS day
FROM touched_brand_hours;

-- No key, because a category may be null. Several sources may add the same bucket, so readers use DISTINCT.
INSERT INTO touched_category_hours (
    category,
    hour
)
SELECT DISTINCT
    changed.category,
    changed.occurred_hour
FROM rolled_slices AS rolled
INNER JOIN $source AS changed ON rolled.slice_id = changed.slice_id
WHERE rolled.table_name <> 'logins';

INSERT INTO touched_country_hours (
    country_code,
    hour
)
SELECT DISTINCT
    changed.country_code,
    changed.occurred_hour
FROM rolled_slices AS rolled
INNER JOIN $source AS changed ON rolled.slice_id = changed.slice_id
WHERE rolled.table_name <> 'logins';

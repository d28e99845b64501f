-- name:    reports/set_zone
-- purpose: Set the time zone of a brand.
-- grain:   at most one row
-- reads:   nothing
-- writes:  brands
-- params:  brand_id bigint, time_zone varchar
UPDATE brands
SET time_zone = %(time_zone)s
WHERE brand_id = %(brand_id)s

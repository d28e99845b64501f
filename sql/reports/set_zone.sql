-- name:    reports/set_zone
-- purpose: Set the time zone of a brand, with who set it and why.
-- grain:   at most one row
-- reads:   nothing
-- writes:  brands
-- params:  brand_id bigint, time_zone varchar, reason varchar, set_by varchar, now datetime
UPDATE brands
SET
    time_zone = %(time_zone)s,
    time_zone_reason = %(reason)s,
    time_zone_set_by = %(set_by)s,
    time_zone_set_at = %(now)s
WHERE brand_id = %(brand_id)s

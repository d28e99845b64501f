-- name:    reports/reported
-- purpose: The brands that have a report for a period in a time zone.
-- grain:   one row per brand
-- reads:   brand_reports
-- writes:  nothing
-- params:  first_day date, days int, time_zone varchar
SELECT DISTINCT brand_id
FROM brand_reports
WHERE first_day = %(first_day)s AND days = %(days)s AND time_zone = %(time_zone)s
ORDER BY brand_id

-- name:    reports/first_day
-- purpose: The first day of which there is anything to report.
-- grain:   one row; null when there is nothing
-- reads:   brand_daily
-- writes:  nothing
-- params:  none
SELECT MIN(day) AS first_day
FROM brand_daily

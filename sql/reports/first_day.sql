-- name:    reports/first_day
-- purpose: The first UTC day with anything to report.
-- grain:   one row; null if there is none
-- reads:   brand_daily
-- writes:  nothing
-- params:  none
SELECT MIN(day) AS first_day
FROM brand_daily

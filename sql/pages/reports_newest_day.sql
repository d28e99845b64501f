-- name:    pages/reports_newest_day
-- purpose: The newest period that has a report, of a given length or of any.
-- grain:   one row; null if there is none
-- reads:   brand_reports
-- writes:  nothing
-- params:  all_brands tinyint, brands bigint list, days int
SELECT MAX(first_day) AS first_day
FROM brand_reports
WHERE
    (%(all_brands)s = 1 OR brand_id IN %(brands)s)
    AND (%(days)s = 0 OR days = %(days)s)

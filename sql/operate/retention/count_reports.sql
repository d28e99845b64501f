-- name:    operate/retention/count_reports
-- purpose: Count the reports of periods that ended before a day, whose mail is not due.
-- grain:   one row
-- reads:   brand_reports
-- writes:  nothing
-- params:  before_time date
SELECT COUNT(*) AS found
FROM brand_reports
WHERE
    first_day < %(before_time)s - INTERVAL days DAY
    AND mail <> 'due'

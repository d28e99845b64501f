-- name:    operate/retention/old_reports
-- purpose: Some reports of periods that ended before a day, whose mail is not due.
-- grain:   one row per brand, period and revision
-- reads:   brand_reports
-- writes:  nothing
-- params:  before_time date, most int
SELECT
    brand_id,
    first_day,
    days,
    revision,
    folder
FROM brand_reports
WHERE
    first_day < %(before_time)s - INTERVAL days DAY
    AND mail <> 'due'
ORDER BY
    first_day ASC,
    brand_id ASC
LIMIT %(most)s

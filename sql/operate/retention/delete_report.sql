-- name:    operate/retention/delete_report
-- purpose: Take a report off the list, after its files.
-- grain:   one row
-- reads:   nothing
-- writes:  brand_reports
-- params:  brand_id bigint, first_day date, days int, revision int
DELETE FROM brand_reports
WHERE
    brand_id = %(brand_id)s
    AND first_day = %(first_day)s
    AND days = %(days)s
    AND revision = %(revision)s

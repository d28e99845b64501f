-- name:    reports/set_mail
-- purpose: Record the outcome of a due mail; a no-op if the mail is no longer due.
-- grain:   one row
-- reads:   nothing
-- writes:  brand_reports
-- params:  brand_id bigint, first_day date, days int, revision int, mail varchar, mailed_at datetime
UPDATE brand_reports
SET
    mail = %(mail)s,
    mailed_at = %(mailed_at)s
WHERE
    brand_id = %(brand_id)s
    AND first_day = %(first_day)s
    AND days = %(days)s
    AND revision = %(revision)s
    AND mail = 'due'

-- name:    reports/numbers
-- purpose: The numbers of the newest reports of some brands for a period in a time zone, for comparison.
-- grain:   one row per brand that has a report for the period, in whichever zone; of another zone if it has none in this
-- reads:   brand_reports
-- writes:  nothing
-- params:  first_day date, days int, time_zone varchar, brand_ids list of bigint
SELECT
    report.brand_id,
    report.revision,
    report.time_zone,
    newest.newest_revision,
    report.made_at,
    report.complete_through,
    report.is_complete,
    report.verdict,
    report.digest,
    report.mail,
    report.numbers
FROM brand_reports AS report
INNER JOIN (
    SELECT
        brand_id,
        MAX(revision) AS newest_revision,
        COALESCE(
            MAX(CASE WHEN time_zone = %(time_zone)s THEN revision END),
            MAX(revision)
        ) AS revision
    FROM brand_reports
    WHERE first_day = %(first_day)s AND days = %(days)s AND brand_id IN %(brand_ids)s
    GROUP BY brand_id
) AS newest ON report.brand_id = newest.brand_id AND report.revision = newest.revision
WHERE report.first_day = %(first_day)s AND report.days = %(days)s

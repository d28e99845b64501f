-- name:    pages/reports_revisions
-- purpose: Every revision of a brand's report for a period, with its changes.
-- grain:   one row per revision, newest first
-- reads:   brand_reports, brands
-- writes:  nothing
-- params:  brand_id bigint, first_day date, days int
SELECT
    report.brand_id,
    brand.name,
    report.first_day,
    report.days,
    report.time_zone,
    report.revision,
    report.made_at,
    report.complete_through,
    report.is_complete,
    report.verdict,
    report.engagement,
    report.engagement_before,
    report.unique_people,
    report.change_count,
    report.mail,
    report.changes,
    report.folder
FROM brand_reports AS report
LEFT JOIN brands AS brand ON report.brand_id = brand.brand_id
WHERE
    report.brand_id = %(brand_id)s
    AND report.first_day = %(first_day)s
    AND report.days = %(days)s
ORDER BY report.revision DESC

-- name:    reports/due_mails
-- purpose: The reports to mail, their addresses, and whether a later revision exists, and whether an earlier one in the same time zone.
-- grain:   one row per brand, period and revision; oldest first
-- reads:   brand_reports, brands
-- writes:  nothing
-- params:  since date
SELECT
    report.brand_id,
    report.first_day,
    report.days,
    report.time_zone,
    report.revision,
    report.complete_through,
    report.is_complete,
    report.verdict,
    report.engagement,
    report.engagement_before,
    report.unique_people,
    report.change_count,
    report.changes,
    report.folder,
    brand.name,
    brand.contact,
    (
        SELECT MAX(newest.revision)
        FROM brand_reports AS newest
        WHERE
            newest.brand_id = report.brand_id
            AND newest.first_day = report.first_day
            AND newest.days = report.days
    ) AS newest_revision,
    (
        SELECT COUNT(*)
        FROM brand_reports AS earlier
        WHERE
            earlier.brand_id = report.brand_id
            AND earlier.first_day = report.first_day
            AND earlier.days = report.days
            AND earlier.time_zone = report.time_zone
            AND earlier.revision < report.revision
    ) AS earlier_revisions
FROM brand_reports AS report
LEFT JOIN brands AS brand ON report.brand_id = brand.brand_id
WHERE
    report.mail = 'due'
    AND report.made_at >= %(since)s
ORDER BY
    report.first_day ASC,
    report.days ASC,
    report.brand_id ASC,
    report.revision ASC

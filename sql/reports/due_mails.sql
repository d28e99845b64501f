-- name:    reports/due_mails
-- purpose: The reports to mail, their addresses, and whether a later revision exists.
-- grain:   one row per brand, period and revision; oldest first
-- reads:   brand_reports, brands
-- writes:  nothing
-- params:  since date
SELECT
    report.brand_id,
    report.first_day,
    report.days,
    report.revision,
    report.complete_through,
    report.is_complete,
    report.verdict,
    report.engagement,
    report.engagement_before,
    report.unique_people,
    report.change_count,
    report.changes,
    report.numbers,
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
    ) AS newest_revision
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

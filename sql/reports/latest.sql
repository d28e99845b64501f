-- name:    reports/latest
-- purpose: The newest report of each brand for a period, and the rollups' current numbers for it.
-- grain:   one row per brand that has a report for the period
-- reads:   brand_reports, brand_daily
-- writes:  nothing
-- params:  first_day date, days int, before_day date, to_day date

-- Deleted data leaves no bucket whose updated_at would show it; the changed sums do.
SELECT
    report.brand_id,
    report.revision,
    report.made_at,
    report.read_at,
    report.is_complete,
    report.verdict,
    report.digest,
    report.engagement,
    report.engagement_before,
    COALESCE(rolled.engagement, 0) AS engagement_now,
    COALESCE(rolled.engagement_before, 0) AS engagement_before_now,
    rolled.updated_at
FROM brand_reports AS report
INNER JOIN (
    SELECT
        brand_id,
        MAX(revision) AS revision
    FROM brand_reports
    WHERE first_day = %(first_day)s AND days = %(days)s
    GROUP BY brand_id
) AS newest ON report.brand_id = newest.brand_id AND report.revision = newest.revision
LEFT JOIN (
    SELECT
        brand_id,
        SUM(CASE WHEN day >= %(first_day)s THEN repins + comments ELSE 0 END) AS engagement,
        SUM(CASE WHEN day < %(first_day)s THEN repins + comments ELSE 0 END) AS engagement_before,
        MAX(updated_at) AS updated_at
    FROM brand_daily
    WHERE day >= %(before_day)s AND day < %(to_day)s
    GROUP BY brand_id
) AS rolled ON report.brand_id = rolled.brand_id
WHERE report.first_day = %(first_day)s AND report.days = %(days)s
ORDER BY report.brand_id

-- name:    reports/latest
-- purpose: The newest report of each of some brands of a time zone for a period, and the rollups' current numbers for it.
-- grain:   one row per brand whose newest report for the period is of its zone
-- reads:   brand_reports, brands, $rollup
-- writes:  nothing
-- params:  brand_ids list of bigint, first_day date, days int, time_zone varchar, before_at date or datetime, from_at date or datetime, to_at date or datetime
-- names:   rollup, time_column

-- Deleted data leaves no bucket whose updated_at would show it; the changed sums do. $rollup: brand_daily for UTC days,
-- brand_hourly for those of other zones. Both are kept by brand and time: without the brands all of it would be read.
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
    WHERE first_day = %(first_day)s AND days = %(days)s AND brand_id IN %(brand_ids)s
    GROUP BY brand_id
) AS newest ON report.brand_id = newest.brand_id AND report.revision = newest.revision
LEFT JOIN (
    SELECT
        brand_id,
        SUM(CASE WHEN $time_column >= %(from_at)s THEN repins + comments ELSE 0 END) AS engagement,
        SUM(CASE WHEN $time_column < %(from_at)s THEN repins + comments ELSE 0 END) AS engagement_before,
        MAX(updated_at) AS updated_at
    FROM $rollup
    WHERE brand_id IN %(brand_ids)s AND $time_column >= %(before_at)s AND $time_column < %(to_at)s
    GROUP BY brand_id
) AS rolled ON report.brand_id = rolled.brand_id
LEFT JOIN brands AS brand ON report.brand_id = brand.brand_id
WHERE
    report.first_day = %(first_day)s
    AND report.days = %(days)s
    AND report.time_zone = %(time_zone)s
    AND COALESCE(brand.time_zone, 'UTC') = %(time_zone)s
ORDER BY report.brand_id

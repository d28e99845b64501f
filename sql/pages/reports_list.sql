-- name:    pages/reports_list
-- purpose: The newest revision of each report, for periods that include a day, or for all periods.
-- grain:   one row per brand and period; sorted as asked, then the newest period first, then by brand
-- reads:   brand_reports, brands
-- writes:  nothing
-- params:  all_brands tinyint, brands bigint list, days int, from_day date, day date, to_day date, is_newest tinyint, sort varchar, top int
-- sqlfluff:max_line_length:150

-- Periods that begin between from_day and to_day, inclusive, and end on day or later. is_newest 1: of these, those that
-- include the newest day of their time zone: east of UTC a day is over before it is in the west. Zones that no brand has
-- any more get no new reports, and are left out.
-- sort: brand, period, engagement or made; with a -, the other way round.
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
    newest.day AS newest_day
FROM brand_reports AS report
LEFT JOIN brands AS brand ON report.brand_id = brand.brand_id
LEFT JOIN brand_reports AS later
    ON
        report.brand_id = later.brand_id
        AND report.first_day = later.first_day
        AND report.days = later.days
        AND later.revision = report.revision + 1
LEFT JOIN (
    SELECT
        made.time_zone,
        MAX(made.first_day) AS day
    FROM brand_reports AS made
    LEFT JOIN brands AS of_zone ON made.brand_id = of_zone.brand_id
    WHERE
        %(is_newest)s = 1
        AND (%(all_brands)s = 1 OR made.brand_id IN %(brands)s)
        AND (%(days)s = 0 OR made.days = %(days)s)
        AND made.first_day >= %(from_day)s
        AND made.first_day <= %(to_day)s
        AND made.time_zone = COALESCE(of_zone.time_zone, 'UTC')
    GROUP BY made.time_zone
) AS newest ON report.time_zone = newest.time_zone
WHERE
    later.brand_id IS NULL
    AND (%(all_brands)s = 1 OR report.brand_id IN %(brands)s)
    AND (%(days)s = 0 OR report.days = %(days)s)
    AND report.first_day >= %(from_day)s
    AND report.first_day <= %(to_day)s
    AND report.first_day + INTERVAL report.days DAY > %(day)s
    AND (
        %(is_newest)s = 0
        OR (report.first_day <= newest.day AND report.first_day + INTERVAL report.days DAY > newest.day)
    )
ORDER BY
    CASE WHEN %(sort)s = 'brand' THEN LOWER(brand.name) END ASC,
    CASE WHEN %(sort)s = '-brand' THEN LOWER(brand.name) END DESC,
    CASE WHEN %(sort)s = 'engagement' THEN report.engagement END ASC,
    CASE WHEN %(sort)s = '-engagement' THEN report.engagement END DESC,
    CASE WHEN %(sort)s = 'made' THEN report.made_at END ASC,
    CASE WHEN %(sort)s = '-made' THEN report.made_at END DESC,
    CASE WHEN %(sort)s = 'period' THEN report.first_day END ASC,
    report.first_day DESC,
    report.days ASC,
    report.brand_id ASC
LIMIT %(top)s

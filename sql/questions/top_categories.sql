-- name:    questions/top_categories
-- purpose: The categories whose pins people engaged with most in a period.
-- grain:   one row per category with engagement, most engaged first, then by name; (none): unknown category
-- reads:   category_hourly
-- writes:  nothing
-- params:  from_time datetime, to_time datetime, top int

-- A period is the hours that start in [from_time, to_time), UTC.
SELECT
    category,
    SUM(repins + comments) AS engagement,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    SUM(pins) AS pins
FROM category_hourly
WHERE hour >= %(from_time)s AND hour < %(to_time)s
GROUP BY category
HAVING SUM(repins + comments) > 0
ORDER BY
    engagement DESC,
    category ASC
LIMIT %(top)s

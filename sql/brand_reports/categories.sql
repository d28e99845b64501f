-- name:    brand_reports/categories
-- purpose: In which categories people engaged with the pins of some brands.
-- grain:   one row per brand and category with engagement in the period; (none): no category known
-- reads:   repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_time datetime, from_time datetime, to_time datetime
SELECT
    brand_id,
    category,
    SUM(repins) AS repins,
    SUM(comments) AS comments,
    SUM(is_before) AS engagement_before
FROM (
    SELECT
        brand_id,
        COALESCE(category, '(none)') AS category,
        CASE WHEN occurred_hour < %(from_time)s THEN 0 ELSE 1 END AS repins,
        0 AS comments,
        CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before
    FROM repins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        COALESCE(category, '(none)') AS category,
        0 AS repins,
        CASE WHEN occurred_hour < %(from_time)s THEN 0 ELSE 1 END AS comments,
        CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before
    FROM comments
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
) AS event
GROUP BY
    brand_id,
    category

-- name:    pages/brand_engagement
-- purpose: Engagement with a brand's pins by pin and category, to the minute; the page chooses the top.
-- grain:   one row per pin and category ((none): no category) with engagement
-- reads:   repins, comments
-- writes:  nothing
-- params:  brand_id bigint, from_time datetime, first_hour datetime, last_hour datetime, to_time datetime, hours list of datetime

-- As in pages/brand_people.
SELECT
    pin_id,
    COALESCE(category, '(none)') AS category,
    SUM(is_repin) AS repins,
    SUM(1 - is_repin) AS comments
FROM (
    SELECT
        pin_id,
        category,
        1 AS is_repin
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT
        pin_id,
        category,
        1 AS is_repin
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT
        pin_id,
        category,
        0 AS is_repin
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT
        pin_id,
        category,
        0 AS is_repin
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
) AS event
GROUP BY
    pin_id,
    COALESCE(category, '(none)')

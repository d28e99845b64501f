-- name:    reports/pins
-- purpose: Engagement with the pins of some brands: the top pins, those that may be trends, and every category.
-- grain:   one row per brand and pin that is among the top or rose by two standard deviations, or per category, or both
-- reads:   repins, comments, pin_cache
-- writes:  nothing
-- params:  brand_ids list of bigint, before_time datetime, from_time datetime, to_time datetime, top int, least int

-- Pins and categories in one statement: the events' rows are read once, which is most of what a report takes. A row is
-- about its pin where is_pin is 1, and about its category where is_category is 1. compared: pins with at least `least`
-- engagements in the period: as many as a trend was looked for among.
SELECT
    ranked.brand_id,
    ranked.pin_id,
    pin.title,
    pin.category AS pin_category,
    ranked.pin_repins,
    ranked.pin_comments,
    ranked.pin_before,
    ranked.category,
    ranked.category_repins,
    ranked.category_comments,
    ranked.category_before,
    ranked.is_pin,
    ranked.is_category,
    ranked.place,
    ranked.compared
FROM (
    SELECT
        brand_id,
        pin_id,
        category,
        pin_repins,
        pin_comments,
        pin_before,
        category_repins,
        category_comments,
        category_before,
        is_pin,
        is_category,
        ROW_NUMBER() OVER (
            PARTITION BY brand_id, is_pin
            ORDER BY pin_repins + pin_comments DESC, pin_id ASC
        ) AS place,
        SUM(CASE WHEN is_pin = 1 AND pin_repins + pin_comments >= %(least)s THEN 1 ELSE 0 END) OVER (
            PARTITION BY brand_id
        ) AS compared
    FROM (
        SELECT
            brand_id,
            pin_id,
            category,
            SUM(repins) OVER (PARTITION BY brand_id, pin_id) AS pin_repins,
            SUM(comments) OVER (PARTITION BY brand_id, pin_id) AS pin_comments,
            SUM(engagement_before) OVER (PARTITION BY brand_id, pin_id) AS pin_before,
            SUM(repins) OVER (PARTITION BY brand_id, category) AS category_repins,
            SUM(comments) OVER (PARTITION BY brand_id, category) AS category_comments,
            SUM(engagement_before) OVER (PARTITION BY brand_id, category) AS category_before,
            CASE
                WHEN
                    pin_id IS NOT NULL
                    AND ROW_NUMBER() OVER (PARTITION BY brand_id, pin_id ORDER BY category) = 1
                    THEN 1
                ELSE 0
            END AS is_pin,
            CASE
                WHEN ROW_NUMBER() OVER (PARTITION BY brand_id, category ORDER BY pin_id) = 1 THEN 1
                ELSE 0
            END AS is_category
        FROM (
            SELECT
                brand_id,
                pin_id,
                category,
                SUM(repins) AS repins,
                SUM(comments) AS comments,
                SUM(is_before) AS engagement_before
            FROM (
                SELECT
                    brand_id,
                    pin_id,
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
                    pin_id,
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
                pin_id,
                category
        ) AS counted
    ) AS marked
) AS ranked
LEFT JOIN pin_cache AS pin ON ranked.pin_id = pin.pin_id
WHERE
    ranked.is_category = 1
    OR (
        ranked.is_pin = 1
        AND ranked.pin_repins + ranked.pin_comments > 0
        AND (
            ranked.place <= %(top)s
            OR (
                ranked.pin_repins + ranked.pin_comments >= %(least)s
                AND ranked.pin_repins + ranked.pin_comments - ranked.pin_before
                >= 2 * SQRT(ranked.pin_repins + ranked.pin_comments + ranked.pin_before)
            )
        )
    )

-- name:    questions/brand_day_pins
-- purpose: The pins of a brand with the most engagement on a day.
-- grain:   one row per pin with engagement, most engaged first, then by pin_id
-- reads:   repins, comments, pin_cache
-- writes:  nothing
-- params:  brand_id bigint, day date, top int
-- same as: reports/engagement
SELECT
    ranked.pin_id,
    pin.title,
    pin.category,
    ranked.engagement,
    ranked.repins,
    ranked.comments
FROM (
    SELECT
        pin_id,
        COUNT(*) AS engagement,
        SUM(is_repin) AS repins,
        SUM(1 - is_repin) AS comments
    FROM (
        SELECT
            pin_id,
            1 AS is_repin
        FROM repins
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME)
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
        UNION ALL
        SELECT
            pin_id,
            0 AS is_repin
        FROM comments
        WHERE
            brand_id = %(brand_id)s
            AND occurred_hour >= CAST(%(day)s AS DATETIME)
            AND occurred_hour < CAST(%(day)s AS DATETIME) + INTERVAL 1 DAY
    ) AS event
    GROUP BY pin_id
    ORDER BY
        COUNT(*) DESC,
        pin_id ASC
    LIMIT %(top)s
) AS ranked
LEFT JOIN pin_cache AS pin ON ranked.pin_id = pin.pin_id
ORDER BY
    ranked.engagement DESC,
    ranked.pin_id ASC

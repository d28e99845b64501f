-- name:    brand_reports/pins
-- purpose: The pins of some brands that people engaged with most, and those that may be trends.
-- grain:   one row per brand and pin that is among the top, or rose by two standard deviations or more
-- reads:   repins, comments, pin_cache
-- writes:  nothing
-- params:  brand_ids list of bigint, before_time datetime, from_time datetime, to_time datetime, top int, least int

-- compared: pins with at least `least` engagements in the period: as many as a trend was looked for among.
SELECT
    ranked.brand_id,
    ranked.pin_id,
    pin.title,
    pin.category,
    ranked.repins,
    ranked.comments,
    ranked.engagement_before,
    ranked.place,
    ranked.compared
FROM (
    SELECT
        brand_id,
        pin_id,
        repins,
        comments,
        engagement_before,
        ROW_NUMBER() OVER (
            PARTITION BY brand_id
            ORDER BY repins + comments DESC, pin_id ASC
        ) AS place,
        SUM(CASE WHEN repins + comments >= %(least)s THEN 1 ELSE 0 END) OVER (PARTITION BY brand_id) AS compared
    FROM (
        SELECT
            brand_id,
            pin_id,
            SUM(repins) AS repins,
            SUM(comments) AS comments,
            SUM(is_before) AS engagement_before
        FROM (
            SELECT
                brand_id,
                pin_id,
                CASE WHEN occurred_hour < %(from_time)s THEN 0 ELSE 1 END AS repins,
                0 AS comments,
                CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before
            FROM repins
            WHERE
                brand_id IN %(brand_ids)s
                AND occurred_hour >= %(before_time)s
                AND occurred_hour < %(to_time)s
                AND pin_id IS NOT NULL
            UNION ALL
            SELECT
                brand_id,
                pin_id,
                0 AS repins,
                CASE WHEN occurred_hour < %(from_time)s THEN 0 ELSE 1 END AS comments,
                CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before
            FROM comments
            WHERE
                brand_id IN %(brand_ids)s
                AND occurred_hour >= %(before_time)s
                AND occurred_hour < %(to_time)s
                AND pin_id IS NOT NULL
        ) AS event
        GROUP BY
            brand_id,
            pin_id
    ) AS counted
) AS ranked
LEFT JOIN pin_cache AS pin ON ranked.pin_id = pin.pin_id
WHERE
    ranked.repins + ranked.comments > 0
    AND (
        ranked.place <= %(top)s
        OR (
            ranked.repins + ranked.comments >= %(least)s
            AND ranked.repins + ranked.comments - ranked.engagement_before
            >= 2 * SQRT(ranked.repins + ranked.comments + ranked.engagement_before)
        )
    )

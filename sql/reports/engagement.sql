-- name:    reports/engagement
-- purpose: Engagement with the pins of some brands, by pin and category; pinwheel/reports/read.py chooses the top and the trends.
-- grain:   one row per brand, pin and category ((none): no category) with engagement in the period or the one before
-- reads:   repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_hour datetime, before_time datetime, from_time datetime, to_time datetime
-- names:   time_column
-- same as: questions/brand_day_pins

-- $time_column: as in reports/people.

-- Pins and categories are both counted from these rows: reading the events twice made a week's reports 50 % slower.
SELECT
    brand_id,
    pin_id,
    COALESCE(category, '(none)') AS category,
    SUM(is_repin) AS repins,
    SUM(is_comment) AS comments,
    SUM(is_before) AS engagement_before
FROM (
    SELECT
        brand_id,
        pin_id,
        category,
        CASE WHEN $time_column < %(from_time)s THEN 0 ELSE 1 END AS is_repin,
        0 AS is_comment,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before
    FROM repins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND $time_column >= %(before_time)s
        AND $time_column < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        pin_id,
        category,
        0 AS is_repin,
        CASE WHEN $time_column < %(from_time)s THEN 0 ELSE 1 END AS is_comment,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before
    FROM comments
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND $time_column >= %(before_time)s
        AND $time_column < %(to_time)s
) AS event
GROUP BY
    brand_id,
    pin_id,
    COALESCE(category, '(none)')

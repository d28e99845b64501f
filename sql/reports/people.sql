-- name:    reports/people
-- purpose: Count the different people who pinned, repinned or commented on the pins of some brands.
-- grain:   one row per brand, and period (is_before: the one before) with people
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_time datetime, from_time datetime, to_time datetime
-- same as: questions/brand_day
SELECT
    brand_id,
    is_before,
    COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT
        brand_id,
        CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id
    FROM pins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id
    FROM repins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        CASE WHEN occurred_hour < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id
    FROM comments
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
) AS event
GROUP BY
    brand_id,
    is_before

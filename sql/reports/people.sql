-- name:    reports/people
-- purpose: Count the different people who pinned, repinned or commented on the pins of some brands.
-- grain:   one row per brand, and period (is_before: the one before) with people
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_hour datetime, before_time datetime, from_time datetime, to_time datetime
-- names:   time_column
-- same as: questions/brand_day

-- $time_column: occurred_hour, so that the index by_brand_hour answers alone; occurred_at where the days of a zone begin
-- within an hour.
SELECT
    brand_id,
    is_before,
    COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT
        brand_id,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id
    FROM pins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND $time_column >= %(before_time)s
        AND $time_column < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id
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
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id
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
    is_before

-- name:    reports/people
-- purpose: Count the different people who engaged with the pins of some brands, and those who made such pins.
-- grain:   one row per brand, and period (is_before: the one before) with people
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_hour datetime, before_time datetime, from_time datetime, to_time datetime
-- names:   time_column
-- same as: questions/brand_day

-- Engaged: repinned or commented. Those who made pins are apart, so that the people of a line agree with its engagement.
-- $time_column: occurred_hour, so that the index by_brand_hour answers alone; occurred_at where the days of a zone begin
-- within an hour.
SELECT
    brand_id,
    is_before,
    COUNT(DISTINCT CASE WHEN is_pin = 0 THEN user_id END) AS engaged_people,
    COUNT(DISTINCT CASE WHEN is_pin = 1 THEN user_id END) AS pinning_people
FROM (
    SELECT
        brand_id,
        CASE WHEN $time_column < %(from_time)s THEN 1 ELSE 0 END AS is_before,
        user_id,
        1 AS is_pin
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
        user_id,
        0 AS is_pin
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
        user_id,
        0 AS is_pin
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

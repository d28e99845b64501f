-- name:    pages/brand_people
-- purpose: Count the different people who pinned, repinned or commented on a brand's pins, to the minute.
-- grain:   one row; 0 if nobody did
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, from_time datetime, last_hour datetime, to_time datetime

-- Whole hours come from the index by_brand_hour alone; only of last_hour, which to_time is in, are rows looked up.
SELECT COUNT(DISTINCT user_id) AS people
FROM (
    SELECT user_id
    FROM pins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(from_time)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT user_id
    FROM pins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour = %(last_hour)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT user_id
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(from_time)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT user_id
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour = %(last_hour)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT user_id
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(from_time)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT user_id
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour = %(last_hour)s
        AND occurred_at < %(to_time)s
) AS event

-- name:    pages/brand_people
-- purpose: Count the different people who pinned, repinned or commented on a brand's pins, to the minute.
-- grain:   one row; 0 if nobody did
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, from_time datetime, first_hour datetime, last_hour datetime, to_time datetime, hours list of datetime

-- Whole hours, from first_hour to last_hour, come from the index by_brand_hour alone. Rows are looked up of the begun hours
-- alone: the one that to_time is in and, where days begin within an hour, the one that from_time is in.
SELECT COUNT(DISTINCT user_id) AS people
FROM (
    SELECT user_id
    FROM pins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT user_id
    FROM pins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT user_id
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT user_id
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT user_id
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour >= %(first_hour)s
        AND occurred_hour < %(last_hour)s
    UNION ALL
    SELECT user_id
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at >= %(from_time)s
        AND occurred_at < %(to_time)s
) AS event

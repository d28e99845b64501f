-- name:    questions/unique_people_of_brand
-- purpose: Count the different people who pinned, repinned or commented on a brand's pins in a period.
-- grain:   one row; 0 if nobody did
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, from_time datetime, to_time datetime

-- A period is the hours that start in [from_time, to_time), UTC.
SELECT COUNT(DISTINCT user_id) AS unique_people
FROM (
    SELECT user_id
    FROM pins
    WHERE brand_id = %(brand_id)s AND occurred_hour >= %(from_time)s AND occurred_hour < %(to_time)s
    UNION ALL
    SELECT user_id
    FROM repins
    WHERE brand_id = %(brand_id)s AND occurred_hour >= %(from_time)s AND occurred_hour < %(to_time)s
    UNION ALL
    SELECT user_id
    FROM comments
    WHERE brand_id = %(brand_id)s AND occurred_hour >= %(from_time)s AND occurred_hour < %(to_time)s
) AS engaged

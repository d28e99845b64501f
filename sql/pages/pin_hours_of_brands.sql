-- name:    pages/pin_hours_of_brands
-- purpose: Engagement with a pin in each of some hours, while it was of some brands: for viewers bound to these.
-- grain:   one row per hour with such events, newest first
-- reads:   repins, comments
-- writes:  nothing
-- params:  pin_id bigint, brands list of bigint, hours list of datetime

-- A pin may change its brand; each event has the brand of its time, which pin_hourly has not.
SELECT
    hour,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        occurred_hour AS hour,
        COUNT(*) AS repins,
        0 AS comments
    FROM repins
    WHERE
        brand_id IN %(brands)s
        AND occurred_hour IN %(hours)s
        AND pin_id = %(pin_id)s
    GROUP BY occurred_hour
    UNION ALL
    SELECT
        occurred_hour AS hour,
        0 AS repins,
        COUNT(*) AS comments
    FROM comments
    WHERE
        brand_id IN %(brands)s
        AND occurred_hour IN %(hours)s
        AND pin_id = %(pin_id)s
    GROUP BY occurred_hour
) AS event
GROUP BY hour
ORDER BY hour DESC

-- name:    pages/brand_minutes
-- purpose: Count a brand's events by minute in some UTC hours: the running one, and all for zones whose hours are no UTC hours.
-- grain:   one row per minute with events
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, hours list of datetime

-- The rollups have whole hours only. The rows are found by by_brand_hour and looked up for their minute.
SELECT
    minute,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        occurred_hour + INTERVAL MINUTE(occurred_at) MINUTE AS minute,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
    UNION ALL
    SELECT
        occurred_hour + INTERVAL MINUTE(occurred_at) MINUTE AS minute,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
    UNION ALL
    SELECT
        occurred_hour + INTERVAL MINUTE(occurred_at) MINUTE AS minute,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
) AS event
GROUP BY minute

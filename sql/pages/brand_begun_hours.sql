-- name:    pages/brand_begun_hours
-- purpose: Count a brand's events in the first minutes of some hours: the running hour, and the same one of days before.
-- grain:   one row per hour with such events
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_id bigint, hours list of datetime, minutes int

-- The rollups have whole hours only. by_brand_hour finds the few rows of these.
SELECT
    hour,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        occurred_hour AS hour,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at < occurred_hour + INTERVAL %(minutes)s MINUTE
    UNION ALL
    SELECT
        occurred_hour AS hour,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM repins
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at < occurred_hour + INTERVAL %(minutes)s MINUTE
    UNION ALL
    SELECT
        occurred_hour AS hour,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM comments
    WHERE
        brand_id = %(brand_id)s
        AND occurred_hour IN %(hours)s
        AND occurred_at < occurred_hour + INTERVAL %(minutes)s MINUTE
) AS event
GROUP BY hour

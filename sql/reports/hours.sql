-- name:    reports/hours
-- purpose: Count the events on the pins of some brands, hour by hour, in a period and the one before.
-- grain:   one row per brand and UTC hour with events
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_time datetime, to_time datetime
-- same as: questions/brand_day, questions/brand_day_hours

-- From the events, not from brand_hourly: rollups lag behind the merges, and a report's numbers must be one snapshot.
SELECT
    brand_id,
    hour,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        brand_id,
        occurred_hour AS hour,
        COUNT(*) AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
    GROUP BY
        brand_id,
        occurred_hour
    UNION ALL
    SELECT
        brand_id,
        occurred_hour AS hour,
        0 AS pins,
        COUNT(*) AS repins,
        0 AS comments
    FROM repins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
    GROUP BY
        brand_id,
        occurred_hour
    UNION ALL
    SELECT
        brand_id,
        occurred_hour AS hour,
        0 AS pins,
        0 AS repins,
        COUNT(*) AS comments
    FROM comments
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_time)s
        AND occurred_hour < %(to_time)s
    GROUP BY
        brand_id,
        occurred_hour
) AS event
GROUP BY
    brand_id,
    hour

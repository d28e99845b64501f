-- name:    reports/quarters
-- purpose: Count the events on the pins of some brands, by quarter of an hour, for zones whose hours are no UTC hours.
-- grain:   one row per brand and quarter of an hour with events
-- reads:   pins, repins, comments
-- writes:  nothing
-- params:  brand_ids list of bigint, before_hour datetime, before_time datetime, to_time datetime

-- As in reports/hours. All zones differ from UTC by quarters of an hour; the rows are looked up for their minute.
SELECT
    brand_id,
    hour,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        brand_id,
        occurred_hour + INTERVAL (MINUTE(occurred_at) DIV 15) * 15 MINUTE AS hour,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND occurred_at >= %(before_time)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        occurred_hour + INTERVAL (MINUTE(occurred_at) DIV 15) * 15 MINUTE AS hour,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM repins
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND occurred_at >= %(before_time)s
        AND occurred_at < %(to_time)s
    UNION ALL
    SELECT
        brand_id,
        occurred_hour + INTERVAL (MINUTE(occurred_at) DIV 15) * 15 MINUTE AS hour,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM comments
    WHERE
        brand_id IN %(brand_ids)s
        AND occurred_hour >= %(before_hour)s
        AND occurred_hour < %(to_time)s
        AND occurred_at >= %(before_time)s
        AND occurred_at < %(to_time)s
) AS event
GROUP BY
    brand_id,
    hour

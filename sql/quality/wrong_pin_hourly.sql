-- name:    quality/wrong_pin_hourly
-- purpose: Buckets of pin_hourly, in an hour, that differ from a count of the rows.
-- grain:   one row per wrong bucket
-- reads:   pin_hourly, pins, repins, comments, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- noqa: disable=PRS
-- The rollup minus a count of the rows: any difference but zero is wrong. One statement reads one
-- snapshot; buckets with queued increments are left out.
-- There is no index by hour. The index by engagement, which has few levels, leads to the hour's buckets, as in
-- questions/top_pins.
SELECT
    pin_id,
    SUM(pins) AS pins_too_many,
    SUM(repins) AS repins_too_many,
    SUM(comments) AS comments_too_many
FROM (
    SELECT
        bucket.pin_id,
        bucket.pins,
        bucket.repins,
        bucket.comments
    FROM (
        SELECT engagement
        FROM pin_hourly
        GROUP BY engagement
    ) AS level
    --mariadb: STRAIGHT_JOIN pin_hourly AS bucket ON level.engagement = bucket.engagement
    --singlestore: INNER JOIN pin_hourly AS bucket ON level.engagement = bucket.engagement
    WHERE bucket.hour = %(hour)s
    UNION ALL
    SELECT
        pin_id,
        -COUNT(*) AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    WHERE
        occurred_hour = %(hour)s
        AND pin_id IS NOT NULL
    GROUP BY pin_id
    UNION ALL
    SELECT
        pin_id,
        0 AS pins,
        -COUNT(*) AS repins,
        0 AS comments
    FROM repins
    WHERE
        occurred_hour = %(hour)s
        AND pin_id IS NOT NULL
    GROUP BY pin_id
    UNION ALL
    SELECT
        pin_id,
        0 AS pins,
        0 AS repins,
        -COUNT(*) AS comments
    FROM comments
    WHERE
        occurred_hour = %(hour)s
        AND pin_id IS NOT NULL
    GROUP BY pin_id
) AS compared
WHERE
    pin_id NOT IN (
        SELECT pin_id
        FROM stale_rows
        WHERE
            occurred_hour = %(hour)s
            AND pin_id IS NOT NULL
    )
GROUP BY pin_id
HAVING
    SUM(pins) <> 0
    OR SUM(repins) <> 0
    OR SUM(comments) <> 0
ORDER BY pin_id

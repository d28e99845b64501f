-- name:    quality/wrong_brand_hourly
-- purpose: Buckets of brand_hourly, in an hour, that differ from a count of the rows.
-- grain:   one row per wrong bucket
-- reads:   brand_hourly, pins, repins, comments, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- The rollup minus a count of the rows: any difference but zero is wrong. One statement reads one
-- snapshot; buckets with queued increments are left out.
SELECT
    brand_id,
    SUM(pins) AS pins_too_many,
    SUM(repins) AS repins_too_many,
    SUM(comments) AS comments_too_many,
    SUM(unique_people) AS people_too_many
FROM (
    SELECT
        brand_id,
        pins,
        repins,
        comments,
        unique_people
    FROM brand_hourly
    WHERE hour = %(hour)s
    UNION ALL
    SELECT
        brand_id,
        -SUM(pins) AS pins,
        -SUM(repins) AS repins,
        -SUM(comments) AS comments,
        -COUNT(DISTINCT user_id) AS unique_people
    FROM (
        SELECT
            brand_id AS brand_id,
            user_id,
            1 AS pins,
            0 AS repins,
            0 AS comments
        FROM pins
        WHERE
            occurred_hour = %(hour)s
            AND brand_id IS NOT NULL
        UNION ALL
        SELECT
            brand_id AS brand_id,
            user_id,
            0 AS pins,
            1 AS repins,
            0 AS comments
        FROM repins
        WHERE
            occurred_hour = %(hour)s
            AND brand_id IS NOT NULL
        UNION ALL
        SELECT
            brand_id AS brand_id,
            user_id,
            0 AS pins,
            0 AS repins,
            1 AS comments
        FROM comments
        WHERE
            occurred_hour = %(hour)s
            AND brand_id IS NOT NULL
    ) AS engaged
    GROUP BY brand_id
) AS compared
WHERE
    brand_id NOT IN (
        SELECT brand_id
        FROM stale_rows
        WHERE
            occurred_hour = %(hour)s
            AND brand_id IS NOT NULL
    )
GROUP BY brand_id
HAVING
    SUM(pins) <> 0
    OR SUM(repins) <> 0
    OR SUM(comments) <> 0
    OR SUM(unique_people) <> 0
ORDER BY brand_id

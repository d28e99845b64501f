-- name:    quality/wrong_category_hourly
-- purpose: Buckets of category_hourly, in an hour, that differ from a count of the rows.
-- grain:   one row per wrong bucket
-- reads:   category_hourly, pins, repins, comments, stale_rows
-- writes:  nothing
-- params:  hour datetime

-- The rollup minus a count of the rows: any difference but zero is wrong. One statement reads one
-- snapshot; buckets with queued increments are left out.
SELECT
    category,
    SUM(pins) AS pins_too_many,
    SUM(repins) AS repins_too_many,
    SUM(comments) AS comments_too_many,
    SUM(unique_people) AS people_too_many
FROM (
    SELECT
        category,
        pins,
        repins,
        comments,
        unique_people
    FROM category_hourly
    WHERE hour = %(hour)s
    UNION ALL
    SELECT
        category,
        -SUM(pins) AS pins,
        -SUM(repins) AS repins,
        -SUM(comments) AS comments,
        -COUNT(DISTINCT user_id) AS unique_people
    FROM (
        SELECT
            COALESCE(category, '(none)') AS category,
            user_id,
            1 AS pins,
            0 AS repins,
            0 AS comments
        FROM pins
        WHERE occurred_hour = %(hour)s
        UNION ALL
        SELECT
            COALESCE(category, '(none)') AS category,
            user_id,
            0 AS pins,
            1 AS repins,
            0 AS comments
        FROM repins
        WHERE occurred_hour = %(hour)s
        UNION ALL
        SELECT
            COALESCE(category, '(none)') AS category,
            user_id,
            0 AS pins,
            0 AS repins,
            1 AS comments
        FROM comments
        WHERE occurred_hour = %(hour)s
    ) AS engaged
    GROUP BY category
) AS compared
WHERE
    category NOT IN (
        SELECT COALESCE(category, '(none)')
        FROM stale_rows
        WHERE
            occurred_hour = %(hour)s
            AND table_name <> 'logins'
    )
GROUP BY category
HAVING
    SUM(pins) <> 0
    OR SUM(repins) <> 0
    OR SUM(comments) <> 0
    OR SUM(unique_people) <> 0
ORDER BY category

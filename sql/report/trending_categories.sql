-- name:    report/trending_categories
-- purpose: The categories with more repins in the last 60 minutes than their last day lets expect.
-- grain:   one row per category above expectation, most unusual first, then by name
-- reads:   repins, category_hourly
-- writes:  nothing
-- params:  now_time datetime, top int

-- expected: a 24th of the repins of the 24 whole hours before the last 60 minutes began. score: how far the last
-- 60 minutes are above it, in standard deviations of a Poisson count, (repins - expected) / SQRT(expected + 1). The 1
-- keeps what was never seen before finite; fewer than 10 repins are no trend.
SELECT
    compared.category,
    compared.repins,
    compared.expected,
    (compared.repins - compared.expected) / SQRT(compared.expected + 1) AS score
FROM (
    SELECT
        recent.category,
        recent.repins,
        COALESCE(SUM(usual.repins), 0) / 24 AS expected
    FROM (
        SELECT
            COALESCE(event.category, '(none)') AS category,
            COUNT(*) AS repins
        FROM repins AS event
        WHERE
            event.occurred_hour >= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 2 HOUR
            AND event.occurred_hour <= %(now_time)s
            AND event.occurred_at >= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 1 HOUR
            AND event.occurred_at < %(now_time)s
        GROUP BY COALESCE(event.category, '(none)')
        HAVING COUNT(*) >= 10
    ) AS recent
    LEFT JOIN category_hourly AS usual
        ON
            recent.category = usual.category
            AND usual.hour > CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 26 HOUR
            AND usual.hour <= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 2 HOUR
    GROUP BY
        recent.category,
        recent.repins
) AS compared
WHERE compared.repins > compared.expected
ORDER BY
    score DESC,
    compared.category ASC
LIMIT %(top)s

-- name:    report/trending_countries
-- purpose: The countries with more repins in the last 60 minutes than their last day lets expect.
-- grain:   one row per country above expectation, most unusual first, then by code
-- reads:   repins, country_hourly
-- writes:  nothing
-- params:  now_time datetime, top int

-- expected: a 24th of the repins of the 24 whole hours before the last 60 minutes began. score: how far the last
-- 60 minutes are above it, in standard deviations of a Poisson count, (repins - expected) / SQRT(expected + 1). The 1
-- keeps what was never seen before finite; fewer than 10 repins are no trend.
SELECT
    compared.country_code,
    compared.repins,
    compared.expected,
    (compared.repins - compared.expected) / SQRT(compared.expected + 1) AS score
FROM (
    SELECT
        recent.country_code,
        recent.repins,
        COALESCE(SUM(usual.repins), 0) / 24 AS expected
    FROM (
        SELECT
            COALESCE(event.country_code, 'ZZ') AS country_code,
            COUNT(*) AS repins
        FROM repins AS event
        WHERE
            event.occurred_hour >= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 2 HOUR
            AND event.occurred_hour <= %(now_time)s
            AND event.occurred_at >= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 1 HOUR
            AND event.occurred_at < %(now_time)s
        GROUP BY COALESCE(event.country_code, 'ZZ')
        HAVING COUNT(*) >= 10
    ) AS recent
    LEFT JOIN country_hourly AS usual
        ON
            recent.country_code = usual.country_code
            AND usual.hour > CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 26 HOUR
            AND usual.hour <= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 2 HOUR
    GROUP BY
        recent.country_code,
        recent.repins
) AS compared
WHERE compared.repins > compared.expected
ORDER BY
    score DESC,
    compared.country_code ASC
LIMIT %(top)s

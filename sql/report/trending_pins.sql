-- name:    report/trending_pins
-- purpose: The pins with more repins in the last 60 minutes than their last day lets expect.
-- grain:   one row per pin above expectation, most unusual first, then by pin_id
-- reads:   repins, pin_hourly, pin_cache
-- writes:  nothing
-- params:  now_time datetime, top int

-- expected: a 24th of the repins of the 24 whole hours before the last 60 minutes began. score: how far the last
-- 60 minutes are above it, in standard deviations of a Poisson count, (repins - expected) / SQRT(expected + 1). The 1
-- keeps what was never seen before finite; fewer than 10 repins are no trend.
SELECT
    compared.pin_id,
    pin.title,
    pin.category,
    compared.repins,
    compared.expected,
    (compared.repins - compared.expected) / SQRT(compared.expected + 1) AS score
FROM (
    SELECT
        recent.pin_id,
        recent.repins,
        COALESCE(SUM(usual.repins), 0) / 24 AS expected
    FROM (
        SELECT
            event.pin_id AS pin_id,
            COUNT(*) AS repins
        FROM repins AS event
        WHERE
            event.occurred_hour >= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 2 HOUR
            AND event.occurred_hour <= %(now_time)s
            AND event.occurred_at >= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 1 HOUR
            AND event.occurred_at < %(now_time)s
            AND event.pin_id IS NOT NULL
        GROUP BY event.pin_id
        HAVING COUNT(*) >= 10
    ) AS recent
    LEFT JOIN pin_hourly AS usual
        ON
            recent.pin_id = usual.pin_id
            AND usual.hour > CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 26 HOUR
            AND usual.hour <= CAST(%(now_time)s AS DATETIME(6)) - INTERVAL 2 HOUR
    GROUP BY
        recent.pin_id,
        recent.repins
) AS compared
LEFT JOIN pin_cache AS pin ON compared.pin_id = pin.pin_id
WHERE compared.repins > compared.expected
ORDER BY
    score DESC,
    compared.pin_id ASC
LIMIT %(top)s

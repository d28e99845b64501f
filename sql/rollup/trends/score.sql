-- name:    rollup/trends/score
-- purpose: Find the items that rise now compared with their own recent past: since when, by how much, how surely.
-- grain:   one row per kind and item that is trending
-- reads:   repin_minutes
-- writes:  trends
-- params:  first_minute datetime, last_minute datetime, as_of datetime

-- noqa: disable=PRS
-- For each item, each of the last 30 minutes is tried as the start of a rise. Since then: n repins in w minutes (the
-- current minute counts in part). Before it: the past, weighted by EXP(-age / 30 minutes), as m repins in b minutes,
-- where b is the sum of the weights. If the rate had not risen by more than a quarter over the growth of everything
-- else (g), n of the n + m repins would be a binomial count with the share q = 1.25gw / (1.25gw + b). The chance of n
-- or more is at most EXP(-d) (Chernoff):
--     d = n LN(n / (q(n + m))) + m LN(m / ((1 - q)(n + m)))
-- The rise began in the minute with the largest d. The sum of weights before minute t is a geometric series.
-- No trend: fewer than 10 repins in the last five minutes, less than 20 minutes of past, d under 14 (a chance above one
-- in a million), a rise that is over (the last three minutes are below the middle between usual and risen), or an item
-- with 19 of 20 repins, which leaves nothing to compare it with.
-- STRAIGHT_JOIN, because MariaDB's own join order read every minute of every item.
INSERT INTO trends (
    kind,
    item,
    since,
    as_of,
    repins,
    per_minute,
    usual_per_minute,
    growth_elsewhere,
    chance_log10
)
WITH busy AS (
    SELECT
        kind,
        item,
        SUM(repins) AS latest
    FROM repin_minutes
    WHERE minute > %(last_minute)s - INTERVAL 5 MINUTE AND minute <= %(last_minute)s
    GROUP BY
        kind,
        item
    HAVING SUM(repins) >= 10
),

-- Most items are not above their own mean: their minutes are only added up, not tried one by one.
risen AS (
    SELECT
        busy.kind,
        busy.item
    FROM busy
    --mariadb: STRAIGHT_JOIN repin_minutes AS counted
    --singlestore: INNER JOIN repin_minutes AS counted
        ON
            busy.kind = counted.kind
            AND busy.item = counted.item
            AND counted.minute >= %(first_minute)s
    GROUP BY
        busy.kind,
        busy.item,
        busy.latest
    HAVING
        busy.kind = 'all'
        OR busy.latest / 5 > 1.1 * SUM(counted.repins) / (TIMESTAMPDIFF(MINUTE, %(first_minute)s, %(last_minute)s) + 1)
),

-- usual: the sum of repins * EXP(-age / 30) over the minutes before this one.
series AS (
    SELECT
        kind,
        item,
        nth,
        SUM(repins) OVER (PARTITION BY kind, item ORDER BY nth DESC) AS repins,
        SUM(CASE WHEN minute > %(last_minute)s - INTERVAL 3 MINUTE THEN repins ELSE 0 END)
            OVER (PARTITION BY kind, item) AS latest,
        (SUM(repins * EXP(nth / 30e0)) OVER (PARTITION BY kind, item ORDER BY nth) - repins * EXP(nth / 30e0))
        * EXP(-nth / 30e0) AS usual
    FROM (
        SELECT
            counted.kind,
            counted.item,
            counted.minute,
            counted.repins,
            TIMESTAMPDIFF(MINUTE, %(first_minute)s, counted.minute) AS nth
        FROM risen
        --mariadb: STRAIGHT_JOIN repin_minutes AS counted
        --singlestore: INNER JOIN repin_minutes AS counted
            ON
                risen.kind = counted.kind
                AND risen.item = counted.item
                AND counted.minute >= %(first_minute)s
                AND counted.minute <= %(last_minute)s
    ) AS counts
),

spans AS (
    SELECT
        summed.nth,
        summed.weight,
        TIMESTAMPDIFF(MICROSECOND, %(first_minute)s, %(as_of)s) / 6e7 - summed.nth AS minutes,
        summed.weight * summed.weight / summed.squares AS worth
    FROM (
        SELECT
            nth,
            (1 - EXP(-nth / 30e0)) / (EXP(1 / 30e0) - 1) AS weight,
            (1 - EXP(-2 * nth / 30e0)) / (EXP(2 / 30e0) - 1) AS squares
        FROM series
        WHERE kind = 'all' AND nth >= 20
    ) AS summed
),

compared AS (
    SELECT
        series.kind,
        series.item,
        series.nth,
        series.repins AS n,
        series.latest,
        spans.minutes AS w,
        spans.worth AS b,
        series.usual / spans.weight AS usual_per_minute,
        series.usual / spans.weight * spans.worth AS m,
        GREATEST(
            1,
            (everything.repins - series.repins + 10)
            / ((everything.usual - series.usual) / spans.weight * spans.minutes + 10)
        ) AS g
    FROM series
    INNER JOIN series AS everything ON series.nth = everything.nth AND everything.kind = 'all'
    INNER JOIN spans ON series.nth = spans.nth
    WHERE
        series.kind <> 'all'
        AND series.nth > TIMESTAMPDIFF(MINUTE, %(first_minute)s, %(last_minute)s) - 30
        AND spans.minutes >= 0.5
        AND series.repins <= 0.95 * everything.repins
),

judged AS (
    SELECT
        kind,
        item,
        nth,
        n,
        w,
        usual_per_minute,
        g,
        latest,
        n * LN(n / (q * (n + m))) + CASE WHEN m > 0 THEN m * LN(m / ((1 - q) * (n + m))) ELSE 0 END AS d
    FROM (
        SELECT
            kind,
            item,
            nth,
            n,
            w,
            m,
            usual_per_minute,
            g,
            latest,
            1.25 * g * w / (1.25 * g * w + b) AS q
        FROM compared
    ) AS shared
    WHERE n > q * (n + m)
),

ranked AS (
    SELECT
        kind,
        item,
        nth,
        n,
        w,
        usual_per_minute,
        g,
        latest,
        d,
        ROW_NUMBER() OVER (PARTITION BY kind, item ORDER BY d DESC, nth ASC) AS place
    FROM judged
)

SELECT
    kind,
    item,
    %(first_minute)s + INTERVAL nth MINUTE AS since,
    %(as_of)s AS as_of,
    n AS repins,
    n / w AS per_minute,
    usual_per_minute,
    g AS growth_elsewhere,
    -d / LN(10) AS chance_log10
FROM ranked
WHERE
    place = 1
    AND d >= 14
    AND latest / LEAST(
        w,
        TIMESTAMPDIFF(MICROSECOND, %(last_minute)s, %(as_of)s) / 6e7 + 2
    ) >= (n / w + usual_per_minute) / 2

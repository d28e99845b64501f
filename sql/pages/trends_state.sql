-- name:    pages/trends_state
-- purpose: The first and last time for which repins are counted by minute, and since when there are enough of them.
-- grain:   one row; null if none are
-- reads:   trends, repin_minutes
-- writes:  nothing
-- params:  none

-- steady_from: late events reach back long before counting began; minutes with so few are no past to compare with.
-- Of the mean, not of the busiest minute: a spike must not make all that was before it too little.
SELECT
    COALESCE(
        (
            SELECT MAX(as_of)
            FROM trends
        ),
        (
            SELECT MAX(minute)
            FROM repin_minutes
        )
    ) AS as_of,
    (
        SELECT MIN(minute)
        FROM repin_minutes
    ) AS counted_from,
    (
        SELECT MIN(counted.minute)
        FROM repin_minutes AS counted
        WHERE
            counted.kind = 'all'
            AND 10 * counted.repins >= (
                SELECT AVG(usual.repins)
                FROM repin_minutes AS usual
                WHERE usual.kind = 'all'
            )
    ) AS steady_from

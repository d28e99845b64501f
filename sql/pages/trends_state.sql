-- name:    pages/trends_state
-- purpose: The first and last time for which repins are counted by minute.
-- grain:   one row; null if none are
-- reads:   trends, repin_minutes
-- writes:  nothing
-- params:  none
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
    ) AS counted_from

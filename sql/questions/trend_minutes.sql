-- name:    questions/trend_minutes
-- purpose: The repins of items in each minute of the last hour, for sparklines.
-- grain:   one row per item and minute with repins, oldest first
-- reads:   repin_minutes
-- writes:  nothing
-- params:  kind varchar, items varchar, as_of datetime

-- Whole minutes only: the current, partial minute would look like a fall.
SELECT
    item,
    minute,
    repins
FROM repin_minutes
WHERE
    kind = %(kind)s
    AND item IN %(items)s
    AND minute >= CAST(%(as_of)s AS DATETIME) - INTERVAL 61 MINUTE
    AND minute <= CAST(%(as_of)s AS DATETIME) - INTERVAL 1 MINUTE
ORDER BY
    item,
    minute

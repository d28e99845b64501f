-- name:    pages/live_minutes
-- purpose: The repins of some items together in each minute, for the bars of the live page.
-- grain:   one row per minute with repins, oldest first
-- reads:   repin_minutes
-- writes:  nothing
-- params:  kind varchar, items varchar, from_time datetime, to_time datetime
SELECT
    minute,
    SUM(repins) AS repins
FROM repin_minutes
WHERE
    kind = %(kind)s
    AND item IN %(items)s
    AND minute >= %(from_time)s
    AND minute < %(to_time)s
GROUP BY minute
ORDER BY minute ASC

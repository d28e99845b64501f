-- name:    rollup/presence
-- purpose: Some buckets of people.
-- grain:   one row per bucket that is there
-- reads:   presence
-- writes:  nothing
-- params:  scope varchar, day date, items list of varchar
SELECT
    item,
    planes,
    recent
FROM presence
WHERE
    day = %(day)s
    AND scope = %(scope)s
    AND item IN %(items)s

-- name:    pages/pin_trend
-- purpose: Whether the repins of a pin rise now, as in questions/trends.
-- grain:   at most one row
-- reads:   trending
-- writes:  nothing
-- params:  item varchar
SELECT
    kind,
    item,
    name,
    brand_id,
    since_utc,
    as_of_utc,
    repins,
    per_minute,
    usual_per_minute,
    times_usual,
    chance_log10
FROM trending
WHERE kind = 'pin' AND item = %(item)s

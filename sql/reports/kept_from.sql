-- name:    reports/kept_from
-- purpose: The first day of which a store has all rows.
-- grain:   one row; null: it has all that ever came
-- reads:   retention
-- writes:  nothing
-- params:  store varchar
SELECT MAX(kept_from) AS kept_from
FROM retention
WHERE store = %(store)s

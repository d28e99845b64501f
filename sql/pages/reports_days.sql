-- name:    pages/reports_days
-- purpose: The first day with anything to report, and the first whose events are all kept.
-- grain:   one row; null: there is no event yet, or all are kept
-- reads:   brand_daily, retention
-- writes:  nothing
-- params:  none
SELECT
    (
        SELECT MIN(day)
        FROM brand_daily
    ) AS first_day,
    (
        SELECT MAX(kept_from)
        FROM retention
        WHERE store = 'events'
    ) AS kept_from

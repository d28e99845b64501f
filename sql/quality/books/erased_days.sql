-- name:    quality/books/erased_days
-- purpose: How many records of each day of the lake were erased.
-- grain:   one row per event type and day
-- reads:   erased_records
-- writes:  nothing
-- params:  none
SELECT
    event_type,
    event_date,
    COUNT(*) AS records
FROM erased_records
GROUP BY
    event_type,
    event_date

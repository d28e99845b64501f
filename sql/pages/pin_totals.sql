-- name:    pages/pin_totals
-- purpose: Engagement with a pin since it is counted, and how far it is.
-- grain:   one row; first_hour is null if there is none
-- reads:   pin_hourly, retention, complete_through
-- writes:  nothing
-- params:  pin_id bigint
SELECT
    COALESCE(SUM(repins), 0) AS repins,
    COALESCE(SUM(comments), 0) AS comments,
    MIN(hour) AS first_hour,
    (
        SELECT kept_from
        FROM retention
        WHERE store = 'events'
    ) AS kept_from,
    (
        SELECT complete_through_utc
        FROM complete_through
        WHERE table_name = 'rollups'
    ) AS complete_through
FROM pin_hourly
WHERE pin_id = %(pin_id)s

-- name:    lake/expired
-- purpose: Pins that rows have waited for so long that they are given up.
-- grain:   one row per pin_id and day
-- reads:   pending_pins
-- writes:  nothing
-- params:  before_date date, max_pins int
SELECT
    pin_id,
    event_date,
    pin_status,
    asked_at
FROM pending_pins
WHERE event_date < %(before_date)s
ORDER BY
    event_date,
    pin_id
LIMIT %(max_pins)s

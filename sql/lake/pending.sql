-- name:    lake/pending
-- purpose: The pins that rows of the lake wait for, longest waiting first.
-- grain:   one row per pin_id and day
-- reads:   pending_pins
-- writes:  nothing
-- params:  max_pins int

SELECT
    pin_id,
    event_date
FROM pending_pins
ORDER BY noted_at, pin_id, event_date
LIMIT %(max_pins)s

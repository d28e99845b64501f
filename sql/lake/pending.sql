-- name:    lake/pending
-- purpose: The pins that rows of the lake wait for: those that have come, then pending, then unknown ones.
-- grain:   one row per pin_id and day
-- reads:   pending_pins, pin_cache
-- writes:  nothing
-- params:  max_pins int

-- Within each of the three, those that were not asked for the longest come first, so that none waits for ever.
SELECT
    waiting.pin_id,
    waiting.event_date,
    waiting.pin_status
FROM pending_pins AS waiting
LEFT JOIN pin_cache AS pin ON waiting.pin_id = pin.pin_id
ORDER BY
    pin.pin_id IS NULL,
    waiting.pin_status,
    waiting.asked_at,
    waiting.pin_id,
    waiting.event_date
LIMIT %(max_pins)s

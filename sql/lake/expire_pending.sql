-- name:    lake/expire_pending
-- purpose: Give up on pins that could not be fetched for a long time.
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  before_date date

DELETE FROM pending_pins
WHERE event_date < %(before_date)s

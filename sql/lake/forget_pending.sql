-- name:    lake/forget_pending
-- purpose: Delete the pending pins of a day that the lake's rows now have.
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  event_date date, pin_ids list of bigint

DELETE FROM pending_pins
WHERE event_date = %(event_date)s AND pin_id IN %(pin_ids)s

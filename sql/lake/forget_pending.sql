-- name:    lake/forget_pending
-- purpose: Strike out pins of a day that the lake's rows have got.
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  event_date date, pin_ids list of bigint

DELETE FROM pending_pins
WHERE event_date = %(event_date)s AND pin_id IN %(pin_ids)s

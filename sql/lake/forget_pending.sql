-- name:    lake/forget_pending
-- purpose: Delete the pins of a day that its rows have, or that are given up; not those noted again in the meantime.
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  event_date date, pin_ids list of bigint, noted_by datetime

DELETE FROM pending_pins
WHERE event_date = %(event_date)s AND pin_id IN %(pin_ids)s AND noted_at <= %(noted_by)s

-- name:    lake/note_asked
-- purpose: Note that pins of a day were asked for and not found, and what their rows say now (null: as before).
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  event_date date, pin_ids list of bigint, noted_by datetime, pin_status varchar

-- Of a pin that was noted again in the meantime, a row may be pending.
UPDATE pending_pins
SET
    asked_at = %(noted_by)s,
    pin_status = IF(noted_at <= %(noted_by)s, COALESCE(%(pin_status)s, pin_status), pin_status)
WHERE event_date = %(event_date)s AND pin_id IN %(pin_ids)s

-- name:    merge/note_pending
-- purpose: Note a pin that rows of a slice still wait for; pending if one of them may be. Idempotent.
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  pin_id bigint, event_date date, pin_status varchar
INSERT INTO pending_pins (pin_id, event_date, pin_status)
VALUES (%(pin_id)s, %(event_date)s, %(pin_status)s)
ON DUPLICATE KEY UPDATE
    noted_at = CURRENT_TIMESTAMP(6),
    pin_status = IF(VALUES (pin_status) = 'pending', VALUES (pin_status), pending_pins.pin_status)

-- name:    merge/note_pending
-- purpose: Note a pin that rows of a slice still wait for. Idempotent.
-- grain:   one row per pin_id and day
-- reads:   nothing
-- writes:  pending_pins
-- params:  pin_id bigint, event_date date
INSERT IGNORE INTO pending_pins (pin_id, event_date)
VALUES (%(pin_id)s, %(event_date)s)

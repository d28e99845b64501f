-- name:    lake/clock
-- purpose: The time of the database, whose clock pending_pins.noted_at is from.
-- grain:   one row
-- reads:   nothing
-- writes:  nothing
-- params:  none
SELECT CURRENT_TIMESTAMP(6) AS now

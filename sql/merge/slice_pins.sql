-- name:    merge/slice_pins
-- purpose: Create an empty work table of this connection, for the pins that a slice embeds.
-- grain:   one row per pin_id
-- reads:   pin_cache
-- writes:  slice_pins
-- params:  none
DROP TEMPORARY TABLE IF EXISTS slice_pins;

CREATE TEMPORARY TABLE slice_pins LIKE pin_cache;

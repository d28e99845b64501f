-- name:    rollup/touch_pins
-- purpose: Note the hours of pins of the taken slices' rows, from a staging table or left_rows.
-- grain:   one row per bucket
-- reads:   rolled_slices, $source
-- writes:  touched_pin_hours
-- params:  none
-- names:   source
INSERT IGNORE INTO touched_pin_hours (
    pin_id,
    hour
)
SELECT DISTINCT
    changed.pin_id,
    changed.occurred_hour
FROM rolled_slices AS rolled
INNER JOIN $source AS changed ON rolled.slice_id = changed.slice_id
WHERE changed.pin_id IS NOT NULL

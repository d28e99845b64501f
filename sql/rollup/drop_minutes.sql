-- name:    rollup/drop_minutes
-- purpose: Delete the minutes whose last repin has left.
-- grain:   one row per minute, kind and item
-- reads:   nothing
-- writes:  repin_minutes
-- params:  none
DELETE FROM repin_minutes
WHERE repins = 0

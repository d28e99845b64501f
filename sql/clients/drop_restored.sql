-- name:    clients/drop_restored
-- purpose: Drop what a run that died has left of a table that it was making anew.
-- grain:   one row per event_id
-- reads:   nothing
-- writes:  restored_$table
-- params:  none
-- names:   table
DROP TABLE IF EXISTS restored_$table

-- name:    merge/rebuild/drop_left_over
-- purpose: Drop what a rebuild that nothing goes on with has left: its new table, and the old one.
-- grain:   one row per event_id
-- reads:   nothing
-- writes:  rebuilt_$table, replaced_$table
-- params:  none
-- names:   table
DROP TABLE IF EXISTS rebuilt_$table;

DROP TABLE IF EXISTS replaced_$table;

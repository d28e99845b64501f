-- name:    merge/rebuild/shadow
-- purpose: Create an empty table like a reporting table, to be loaded and exchanged with it.
-- grain:   one row per event_id
-- reads:   $table
-- writes:  rebuilt_$table
-- params:  none
-- names:   table
DROP TABLE IF EXISTS rebuilt_$table;

CREATE TABLE rebuilt_$table LIKE $table;

-- name:    merge/move_loaded
-- purpose: Insert the loaded rows in a transaction, on engines where LOAD DATA is not part of one.
-- grain:   one row per event_id
-- reads:   loaded_rows
-- writes:  $table
-- params:  none
-- names:   table, columns
INSERT INTO $table ($columns)
SELECT $columns
FROM loaded_rows

-- name:    clients/name_restored
-- purpose: Give a table that was made anew its name.
-- grain:   one row per event_id
-- reads:   restored_$table
-- writes:  restored_$table, $table
-- params:  none
-- names:   table
ALTER TABLE restored_$table RENAME TO $table

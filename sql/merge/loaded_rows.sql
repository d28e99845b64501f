-- name:    merge/loaded_rows
-- purpose: Create an empty work table of this connection, on engines where LOAD DATA is not part of a transaction.
-- grain:   one row per event_id
-- reads:   $table
-- writes:  loaded_rows
-- params:  none
-- names:   table
DROP TEMPORARY TABLE IF EXISTS loaded_rows;

CREATE TEMPORARY TABLE loaded_rows LIKE $table;

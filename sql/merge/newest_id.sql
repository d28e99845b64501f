-- name:    merge/newest_id
-- purpose: The highest event id of a table: ids above it need not be asked for.
-- grain:   one row; null if the table is empty
-- reads:   $table
-- writes:  nothing
-- params:  none
-- names:   table
SELECT MAX(event_id) AS event_id
FROM $table

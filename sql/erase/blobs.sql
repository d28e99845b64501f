-- name:    erase/blobs
-- purpose: The values of a column of bytes.
-- grain:   one row per row of the table
-- reads:   $table
-- writes:  nothing
-- params:  none
-- names:   table, column
SELECT $column AS found
FROM $table

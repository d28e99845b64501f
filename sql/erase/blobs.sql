-- name:    erase/blobs
-- purpose: The values of a column of bytes.
-- grain:   one row per row of the table
-- reads:   $table
-- writes:  nothing
-- params:  none
-- names:   table, columns
SELECT $columns AS found
FROM $table

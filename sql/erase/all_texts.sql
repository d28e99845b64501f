-- name:    erase/all_texts
-- purpose: The texts of rows that have some digits in one of their columns, in one pass over the table.
-- grain:   one row per row with these digits
-- reads:   $table
-- writes:  nothing
-- params:  digits varchar
-- names:   table, columns
SELECT CONCAT_WS('\n', $columns) AS found
FROM $table
WHERE CONCAT_WS('\n', $columns) LIKE %(digits)s

-- name:    erase/texts
-- purpose: The different texts of a column that have some digits in them.
-- grain:   one row per text
-- reads:   $table
-- writes:  nothing
-- params:  digits varchar
-- names:   table, column
SELECT DISTINCT $column AS found
FROM $table
WHERE $column LIKE %(digits)s

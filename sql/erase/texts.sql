-- name:    erase/texts
-- purpose: The different texts of a column that have some digits in them.
-- grain:   one row per text
-- reads:   $table
-- writes:  nothing
-- params:  digits varchar
-- names:   table, columns
SELECT DISTINCT $columns AS found
FROM $table
WHERE $columns LIKE %(digits)s

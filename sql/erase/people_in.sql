-- name:    erase/people_in
-- purpose: How many rows of a table have a person in a column.
-- grain:   one row
-- reads:   $table
-- writes:  nothing
-- params:  user_id bigint
-- names:   table, column
SELECT COUNT(*) AS people
FROM $table
WHERE $column = %(user_id)s

-- name:    erase/people_in
-- purpose: How many rows of a table have a person in one of its columns of people.
-- grain:   one row
-- reads:   $table
-- writes:  nothing
-- params:  user_id bigint
-- names:   table, columns
SELECT COUNT(*) AS people
FROM $table
WHERE %(user_id)s IN ($columns)

-- name:    quality/books/oldest
-- purpose: The oldest hour of a reporting table; null if it is empty.
-- grain:   one row
-- reads:   $table
-- writes:  nothing
-- params:  none
-- names:   table
SELECT MIN(occurred_hour) AS occurred_hour
FROM $table

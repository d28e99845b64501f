-- name:    erase/replace
-- purpose: Replace a text of a column.
-- grain:   one row per row with that text
-- reads:   nothing
-- writes:  $table
-- params:  before mediumtext, after mediumtext
-- names:   table, columns
UPDATE $table
SET $columns = %(after)s
WHERE $columns = %(before)s

-- name:    erase/replace
-- purpose: Replace a text of a column.
-- grain:   one row per row with that text
-- reads:   nothing
-- writes:  $table
-- params:  old_text mediumtext, new_text mediumtext
-- names:   table, column
UPDATE $table
SET $column = %(new_text)s
WHERE $column = %(old_text)s

-- name:    erase/person
-- purpose: Delete a person's rows from a table that is not an event table.
-- grain:   one row per person, or per person and country
-- reads:   nothing
-- writes:  $table
-- params:  user_id bigint
-- names:   table
DELETE FROM $table
WHERE user_id = %(user_id)s

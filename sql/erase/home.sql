-- name:    erase/home
-- purpose: Delete a person's home country.
-- grain:   one row per person
-- reads:   nothing
-- writes:  person_homes
-- params:  user_id bigint
DELETE FROM person_homes
WHERE user_id = %(user_id)s

-- name:    quality/books/known
-- purpose: Which of some event ids are in a reporting table, of whatever day and delivery.
-- grain:   one row per event_id
-- reads:   $table
-- writes:  nothing
-- params:  ids varchar
-- names:   table
SELECT event_id
FROM $table
WHERE event_id IN %(ids)s

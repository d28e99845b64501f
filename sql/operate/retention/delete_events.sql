-- name:    operate/retention/delete_events
-- purpose: Delete rows of an hour of a reporting table; the rollups stay.
-- grain:   one row per event_id
-- reads:   nothing
-- writes:  $table
-- params:  hour datetime, most int
-- names:   table
DELETE FROM $table
WHERE occurred_hour = %(hour)s
LIMIT %(most)s

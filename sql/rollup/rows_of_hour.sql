-- name:    rollup/rows_of_hour
-- purpose: What the rollups count of the rows of an hour.
-- grain:   one row per event_id
-- reads:   $table
-- writes:  nothing
-- params:  hour datetime
-- names:   table, columns
SELECT $columns
FROM $table
WHERE occurred_hour = %(hour)s

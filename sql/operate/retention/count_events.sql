-- name:    operate/retention/count_events
-- purpose: Count the rows of a reporting table that are to go.
-- grain:   one row
-- reads:   $table
-- writes:  nothing
-- params:  kept_from date
-- names:   table
SELECT COUNT(*) AS found
FROM $table
WHERE occurred_hour < %(kept_from)s

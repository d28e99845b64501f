-- name:    operate/retention/oldest_hour
-- purpose: The oldest hour of a reporting table that is to go.
-- grain:   one row; null if there is none
-- reads:   $table
-- writes:  nothing
-- params:  kept_from date
-- names:   table
SELECT MIN(occurred_hour) AS hour
FROM $table
WHERE occurred_hour < %(kept_from)s

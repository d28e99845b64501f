-- name:    quality/checksums
-- purpose: The checksum of each row of an hour, to find the rows that differ from the lake's.
-- grain:   one row per event_id
-- reads:   checked_$table
-- writes:  nothing
-- params:  hour datetime
-- names:   table
SELECT
    checked.event_id,
    checked.checksum
FROM checked_$table AS checked
WHERE checked.occurred_hour = %(hour)s

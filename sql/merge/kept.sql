-- name:    merge/kept
-- purpose: The rows of a table that have one of the asked ids.
-- grain:   one row per event_id
-- reads:   asked_ids, $table
-- writes:  nothing
-- params:  none
-- names:   table, columns
SELECT $columns
FROM $table
WHERE
    event_id IN (
        SELECT asked.event_id
        FROM asked_ids AS asked
    )

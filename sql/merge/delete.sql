-- name:    merge/delete
-- purpose: Delete the rows that leave the table, and those that are loaded again as they are now.
-- grain:   one row per event_id
-- reads:   gone_ids
-- writes:  $table
-- params:  none
-- names:   table
DELETE kept FROM $table AS kept
INNER JOIN gone_ids AS gone ON kept.event_id = gone.event_id

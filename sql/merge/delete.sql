-- name:    merge/delete
-- purpose: Delete the rows whose kept delivery was deleted from the lake.
-- grain:   one row per event_id
-- reads:   merge_plan
-- writes:  $table
-- params:  none
-- names:   table
DELETE kept FROM $table AS kept
INNER JOIN merge_plan AS planned ON kept.event_id = planned.event_id
WHERE planned.action = 'delete'

-- name:    alerts/lock
-- purpose: Take turns, so that two that tell of the same alert at once open it once.
-- grain:   one row
-- reads:   merge_locks
-- writes:  nothing
-- params:  none
SELECT name
FROM merge_locks
WHERE name = 'alerts'
FOR UPDATE

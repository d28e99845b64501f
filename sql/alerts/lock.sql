-- name:    alerts/lock
-- purpose: Serialise processes that raise or resolve alerts, so that an alert is opened only once.
-- grain:   one row
-- reads:   merge_locks
-- writes:  nothing
-- params:  none
SELECT name
FROM merge_locks
WHERE name = 'alerts'
FOR UPDATE

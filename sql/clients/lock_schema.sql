-- name:    clients/lock_schema
-- purpose: Make other starters wait until this one has migrated.
-- grain:   one row
-- reads:   schema_lock
-- writes:  nothing
-- params:  none
SELECT id
FROM schema_lock
WHERE id = 1
FOR UPDATE

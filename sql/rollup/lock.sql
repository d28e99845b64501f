-- name:    rollup/lock
-- purpose: Let only one process at a time write the rollups.
-- grain:   one row
-- reads:   merge_locks
-- writes:  nothing
-- params:  none
SELECT name
FROM merge_locks
WHERE name = 'rollups'
FOR UPDATE

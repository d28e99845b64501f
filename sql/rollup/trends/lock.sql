-- name:    rollup/trends/lock
-- purpose: Let only one refresh at a time count; merges do not wait for this lock.
-- grain:   one row
-- reads:   merge_locks
-- writes:  nothing
-- params:  none
SELECT name
FROM merge_locks
WHERE name = 'trends'
FOR UPDATE

-- name:    rollup/trends/lock
-- purpose: Let one refresh at a time count; merges are not held up by it.
-- grain:   one row
-- reads:   merge_locks
-- writes:  nothing
-- params:  none
SELECT name
FROM merge_locks
WHERE name = 'trends'
FOR UPDATE

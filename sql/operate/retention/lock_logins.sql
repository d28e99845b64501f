-- name:    operate/retention/lock_logins
-- purpose: Let no slice of logins be merged until this transaction ends.
-- grain:   one row per shard
-- reads:   merge_shards
-- writes:  nothing
-- params:  none
SELECT version
FROM merge_shards
WHERE table_name = 'logins'
FOR UPDATE

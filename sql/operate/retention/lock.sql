-- name:    operate/retention/lock
-- purpose: Let no slice be merged, and no day be made anew, until this transaction ends.
-- grain:   one row per shard
-- reads:   merge_shards
-- writes:  nothing
-- params:  none
SELECT version
FROM merge_shards
FOR UPDATE

-- name:    erase/shards
-- purpose: The tables that were ever merged.
-- grain:   one row per table
-- reads:   merge_shards
-- writes:  nothing
-- params:  none
SELECT DISTINCT table_name
FROM merge_shards

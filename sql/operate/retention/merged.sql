-- name:    operate/retention/merged
-- purpose: The lake version that all shards of all tables have merged.
-- grain:   one row
-- reads:   merge_shards
-- writes:  nothing
-- params:  none
SELECT
    COUNT(DISTINCT table_name) AS tables,
    MIN(version) AS version
FROM merge_shards

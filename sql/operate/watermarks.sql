-- name:    operate/watermarks
-- purpose: The lake version up to which each table is merged.
-- grain:   one row per reporting table
-- reads:   merge_shards
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    MIN(version) AS version
FROM merge_shards
GROUP BY table_name

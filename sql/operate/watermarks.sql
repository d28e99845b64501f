-- name:    operate/watermarks
-- purpose: The lake version up to which each table is merged.
-- grain:   one row per reporting table
-- reads:   merge_watermarks
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    version
FROM merge_watermarks

-- name:    merge/watermark
-- purpose: The newest merged lake version of a table.
-- grain:   one row per table
-- reads:   merge_watermarks
-- writes:  nothing
-- params:  table_name varchar
SELECT version
FROM merge_watermarks
WHERE table_name = %(table_name)s

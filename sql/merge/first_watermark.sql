-- name:    merge/first_watermark
-- purpose: Start a table that was never merged; two starters make one row.
-- grain:   one row per table
-- reads:   nothing
-- writes:  merge_watermarks
-- params:  table_name varchar, version bigint
INSERT IGNORE INTO merge_watermarks (
    table_name,
    version
)
VALUES (
    %(table_name)s,
    %(version)s
)

-- name:    merge/first_watermark
-- purpose: Insert the watermark of a table that was never merged; a no-op if another run has inserted it.
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

-- name:    merge/move_watermark
-- purpose: Compare-and-set a table's watermark: changes no row if another run has moved it.
-- grain:   one row per table
-- reads:   nothing
-- writes:  merge_watermarks
-- params:  table_name varchar, from_version bigint, to_version bigint
UPDATE merge_watermarks
SET version = %(to_version)s
WHERE
    table_name = %(table_name)s
    AND version = %(from_version)s

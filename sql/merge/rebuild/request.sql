-- name:    merge/rebuild/request
-- purpose: Have a table made anew from a version of the lake; a no-op if it is being made anew already.
-- grain:   one row per table
-- reads:   nothing
-- writes:  rebuilds
-- params:  table_name varchar, version bigint, part_rows bigint, requested_by varchar
INSERT IGNORE INTO rebuilds (
    table_name,
    version,
    part_rows,
    parts_done,
    state,
    requested_by
)
VALUES (
    %(table_name)s,
    %(version)s,
    %(part_rows)s,
    0,
    'loading',
    %(requested_by)s
)

-- name:    merge/rebuild/request
-- purpose: Have a table made anew from a version of the lake. One that is being made anew goes on, with this loader.
-- grain:   one row per table
-- reads:   nothing
-- writes:  rebuilds
-- params:  table_name varchar, version bigint, part_rows bigint, loader varchar, requested_by varchar
INSERT INTO rebuilds (
    table_name,
    version,
    part_rows,
    loader,
    state,
    requested_by
)
VALUES (
    %(table_name)s,
    %(version)s,
    %(part_rows)s,
    %(loader)s,
    'requested',
    %(requested_by)s
)
ON DUPLICATE KEY UPDATE loader = %(loader)s

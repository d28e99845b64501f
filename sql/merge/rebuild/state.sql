-- name:    merge/rebuild/state
-- purpose: The rebuild of a table that is not done yet.
-- grain:   at most one row
-- reads:   rebuilds
-- writes:  nothing
-- params:  table_name varchar
SELECT
    version,
    part_rows,
    loader,
    state
FROM rebuilds
WHERE table_name = %(table_name)s

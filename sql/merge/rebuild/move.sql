-- name:    merge/rebuild/move
-- purpose: Compare-and-set how far a rebuild is: changes no row if another run has moved it.
-- grain:   one row per table
-- reads:   nothing
-- writes:  rebuilds
-- params:  table_name varchar, version bigint, parts_before int, parts_done int, state varchar
UPDATE rebuilds
SET
    parts_done = %(parts_done)s,
    state = %(state)s
WHERE
    table_name = %(table_name)s
    AND version = %(version)s
    AND parts_done = %(parts_before)s
    AND state = 'loading'

-- name:    merge/rebuild/move
-- purpose: Compare-and-set the state of a rebuild: changes no row if another run has moved it.
-- grain:   one row per table
-- reads:   nothing
-- writes:  rebuilds
-- params:  table_name varchar, version bigint, state varchar, next_state varchar
UPDATE rebuilds
SET state = %(next_state)s
WHERE
    table_name = %(table_name)s
    AND version = %(version)s
    AND state = %(state)s

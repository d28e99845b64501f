-- name:    merge/rebuild/give_up
-- purpose: Forget a rebuild that can't go on: changes no row if another run has moved it.
-- grain:   one row per table
-- reads:   nothing
-- writes:  rebuilds
-- params:  table_name varchar, version bigint, state varchar
DELETE FROM rebuilds
WHERE
    table_name = %(table_name)s
    AND version = %(version)s
    AND state = %(state)s

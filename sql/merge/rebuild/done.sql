-- name:    merge/rebuild/done
-- purpose: Forget a rebuild that is done: changes no row if another run has.
-- grain:   one row per table
-- reads:   nothing
-- writes:  rebuilds
-- params:  table_name varchar
DELETE FROM rebuilds
WHERE
    table_name = %(table_name)s
    AND state = 'exchanging'

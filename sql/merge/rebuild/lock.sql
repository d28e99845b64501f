-- name:    merge/rebuild/lock
-- purpose: Lock a rebuild whose new table is not made yet; no row if another run has made it.
-- grain:   at most one row
-- reads:   rebuilds
-- writes:  nothing
-- params:  table_name varchar, version bigint
SELECT table_name
FROM rebuilds
WHERE
    table_name = %(table_name)s
    AND version = %(version)s
    AND state = 'requested'
FOR UPDATE

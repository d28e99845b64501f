-- name:    merge/rebuild/has_shadow
-- purpose: Whether a rebuilt table is not exchanged yet.
-- grain:   one row per table of that name
-- reads:   tables
-- writes:  nothing
-- params:  rebuilt varchar
SELECT table_name
FROM information_schema.tables
WHERE
    table_schema = DATABASE()
    AND table_name = %(rebuilt)s

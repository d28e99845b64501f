-- name:    merge/rebuild/forget_parts
-- purpose: Forget which parts are loaded, when a rebuild begins or is done.
-- grain:   one row per part
-- reads:   nothing
-- writes:  rebuild_parts
-- params:  table_name varchar
DELETE FROM rebuild_parts
WHERE table_name = %(table_name)s

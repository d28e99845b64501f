-- name:    merge/rebuild/parts
-- purpose: The parts of a rebuild that are loaded, and the quarantined records that they have read.
-- grain:   one row per part
-- reads:   rebuild_parts
-- writes:  nothing
-- params:  table_name varchar
SELECT
    part,
    judged_anew
FROM rebuild_parts
WHERE table_name = %(table_name)s

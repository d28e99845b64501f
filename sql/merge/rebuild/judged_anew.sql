-- name:    merge/rebuild/judged_anew
-- purpose: Keep which quarantined records a part has read.
-- grain:   one row per part
-- reads:   nothing
-- writes:  rebuild_parts
-- params:  table_name varchar, part int, judged_anew text
UPDATE rebuild_parts
SET judged_anew = %(judged_anew)s
WHERE
    table_name = %(table_name)s
    AND part = %(part)s

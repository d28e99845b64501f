-- name:    merge/rebuild/add_part
-- purpose: Count a part as loaded: adds no row if it is counted already, or if the rebuild is over.
-- grain:   one row per part
-- reads:   rebuilds
-- writes:  rebuild_parts
-- params:  table_name varchar, version bigint, part int
INSERT IGNORE INTO rebuild_parts (table_name, part)
SELECT
    table_name,
    %(part)s AS part
FROM rebuilds
WHERE
    table_name = %(table_name)s
    AND version = %(version)s
    AND state = 'loading'

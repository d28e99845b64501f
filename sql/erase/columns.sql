-- name:    erase/columns
-- purpose: The columns of all tables.
-- grain:   one row per column
-- reads:   columns, tables
-- writes:  nothing
-- params:  none
SELECT
    col.table_name AS table_name,
    col.column_name AS column_name,
    col.data_type AS data_type
FROM information_schema.columns AS col
INNER JOIN information_schema.tables AS tab
    ON col.table_schema = tab.table_schema AND col.table_name = tab.table_name
WHERE
    col.table_schema = DATABASE()
    AND tab.table_type = 'BASE TABLE'
ORDER BY
    col.table_name,
    col.ordinal_position

-- name:    pages/explore_columns
-- purpose: What the asking user may read: tables and views, their columns, and what these mean.
-- grain:   one row per column; views first, then by name, in the table's order
-- reads:   columns, tables, view_columns
-- writes:  nothing
-- params:  none
SELECT
    seen.table_name AS name,
    holder.table_type = 'VIEW' AS is_view,
    CASE WHEN holder.table_type = 'VIEW' THEN '' ELSE holder.table_comment END AS about,
    seen.column_name AS column_name,
    seen.column_type AS column_type,
    COALESCE(told.meaning, seen.column_comment) AS meaning
FROM information_schema.columns AS seen
INNER JOIN information_schema.tables AS holder
    ON seen.table_schema = holder.table_schema AND seen.table_name = holder.table_name
LEFT JOIN view_columns AS told ON seen.table_name = told.view_name AND seen.column_name = told.column_name
WHERE seen.table_schema = DATABASE()
ORDER BY
    is_view DESC,
    seen.table_name ASC,
    seen.ordinal_position ASC

-- name:    clients/there
-- purpose: Which of these tables there are.
-- grain:   one row per table
-- reads:   tables
-- writes:  nothing
-- params:  table_names list of varchar
SELECT table_name AS name
FROM information_schema.tables
WHERE
    table_schema = DATABASE()
    AND table_name IN %(table_names)s

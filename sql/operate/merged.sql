-- name:    operate/merged
-- purpose: The newest record in each reporting table.
-- grain:   one row per reporting table
-- reads:   table_progress
-- writes:  nothing
-- params:  none

SELECT
    table_name,
    MAX(kafka_timestamp) AS newest_at
FROM table_progress
GROUP BY table_name

-- name:    local/newest_merged
-- purpose: The newest record in the reporting tables.
-- grain:   one row
-- reads:   table_progress
-- writes:  nothing
-- params:  none

SELECT MAX(kafka_timestamp) AS newest_at
FROM table_progress
WHERE table_name = 'rollups'

-- name:    local/newest_merged
-- purpose: How fresh the reporting tables are: the newest record that is in them.
-- grain:   one row
-- reads:   merge_progress
-- writes:  nothing
-- params:  none

SELECT MAX(kafka_timestamp) AS newest_at
FROM merge_progress
WHERE table_name = 'rollups'

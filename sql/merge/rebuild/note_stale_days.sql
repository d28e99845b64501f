-- name:    merge/rebuild/note_stale_days
-- purpose: Have the rollups of all days of a table made anew. Idempotent.
-- grain:   one row per day
-- reads:   $table
-- writes:  stale_days
-- params:  none
-- names:   table
INSERT INTO stale_days (day)
SELECT DISTINCT DATE(occurred_hour) AS day
FROM $table
ON DUPLICATE KEY UPDATE noted_at = CURRENT_TIMESTAMP(6)

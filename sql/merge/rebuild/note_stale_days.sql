-- name:    merge/rebuild/note_stale_days
-- purpose: Have the rollups of all days of a table made anew, of which all rows are there. Idempotent.
-- grain:   one row per day
-- reads:   $table, retention
-- writes:  stale_days
-- params:  none
-- names:   table
INSERT INTO stale_days (day)
SELECT DISTINCT DATE(occurred_hour) AS day
FROM $table
WHERE
    occurred_hour >= COALESCE(
        (
            SELECT MAX(kept_from)
            FROM retention
            WHERE store = 'events'
        ),
        '1000-01-01'
    )
ON DUPLICATE KEY UPDATE noted_at = CURRENT_TIMESTAMP(6)

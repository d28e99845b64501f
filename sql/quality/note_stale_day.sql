-- name:    quality/note_stale_day
-- purpose: Have the rollups of a day made anew from its rows. Idempotent.
-- grain:   one row per day
-- reads:   nothing
-- writes:  stale_days
-- params:  day date
INSERT INTO stale_days (day)
VALUES (%(day)s)
ON DUPLICATE KEY UPDATE noted_at = CURRENT_TIMESTAMP(6)

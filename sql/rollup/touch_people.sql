-- name:    rollup/touch_people
-- purpose: Note the people and days of the rows in a staging table, or of removed rows in left_rows (is_seen 0).
-- grain:   one row per day and user_id
-- reads:   rolled_slices, $source
-- writes:  touched_people
-- params:  is_seen int
-- names:   source
INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(changed.occurred_hour) AS day,
    changed.user_id,
    %(is_seen)s AS is_seen
FROM rolled_slices AS rolled
INNER JOIN $source AS changed ON rolled.slice_id = changed.slice_id
ON DUPLICATE KEY UPDATE is_seen = GREATEST(is_seen, VALUES (is_seen))

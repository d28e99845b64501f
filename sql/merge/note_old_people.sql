-- name:    merge/note_old_people
-- purpose: Note whose changed rows leave which day.
-- grain:   one row per day and user_id
-- reads:   merge_plan, $table
-- writes:  touched_people
-- params:  none
-- names:   table
INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(kept.occurred_hour) AS day,
    kept.user_id,
    0 AS is_seen
FROM merge_plan AS planned
INNER JOIN $table AS kept ON planned.event_id = kept.event_id
WHERE planned.action IN ('update', 'delete')

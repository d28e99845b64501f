-- name:    merge/note_old_minutes
-- purpose: Note the previous minutes of changed and deleted repins, which the next refresh of the trends recounts.
-- grain:   one row per slice and minute
-- reads:   merge_plan, repins
-- writes:  touched_minutes
-- params:  slice_id bigint
INSERT IGNORE INTO touched_minutes (
    slice_id,
    minute
)
SELECT DISTINCT
    %(slice_id)s AS slice_id,
    kept.occurred_hour + INTERVAL MINUTE(kept.occurred_at) MINUTE AS minute
FROM merge_plan AS planned
INNER JOIN repins AS kept ON planned.event_id = kept.event_id
WHERE planned.action IN ('update', 'delete')

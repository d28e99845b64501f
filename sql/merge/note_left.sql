-- name:    merge/note_left
-- purpose: Save the rows that a slice changes or deletes as they were before.
-- grain:   one row per slice and event_id
-- reads:   merge_plan, $table
-- writes:  left_rows
-- params:  slice_id bigint
-- names:   table, bucket
INSERT INTO left_rows (
    slice_id,
    event_id,
    occurred_hour,
    user_id,
    $bucket
)
SELECT
    %(slice_id)s AS slice_id,
    kept.event_id,
    kept.occurred_hour,
    kept.user_id,
    $bucket
FROM merge_plan AS planned
INNER JOIN $table AS kept ON planned.event_id = kept.event_id
WHERE planned.action IN ('update', 'delete')

-- name:    merge/note_old_buckets
-- purpose: Note the rollup buckets that changed rows leave.
-- grain:   one row per bucket
-- reads:   merge_plan, $table
-- writes:  touched_rows
-- params:  none
-- names:   table
INSERT INTO touched_rows (
    brand_id,
    category,
    pin_id,
    country_code,
    occurred_hour
)
SELECT DISTINCT
    kept.brand_id,
    kept.category,
    kept.pin_id,
    kept.country_code,
    kept.occurred_hour
FROM merge_plan AS planned
INNER JOIN $table AS kept ON planned.event_id = kept.event_id
WHERE planned.action IN ('update', 'delete')

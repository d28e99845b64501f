-- name:    merge/staged_slices
-- purpose: The slices that have rows in staging, and whether they are still needed.
-- grain:   one row per slice
-- reads:   staging_$table, merge_slices, rollup_queue
-- writes:  nothing
-- params:  none
-- names:   table
SELECT
    staged.slice_id,
    COALESCE(known.state IN ('staging', 'staged', 'held', 'accepted'), 0) OR queue.slice_id IS NOT NULL AS is_needed
FROM (
    SELECT DISTINCT slice_id
    FROM staging_$table
) AS staged
LEFT JOIN merge_slices AS known ON staged.slice_id = known.slice_id
LEFT JOIN rollup_queue AS queue ON staged.slice_id = queue.slice_id

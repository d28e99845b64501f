-- name:    rollup/orphans
-- purpose: Queued increments of slices that the ledger does not have as merged.
-- grain:   one row per slice and part
-- reads:   rollup_increments, merge_slices
-- writes:  nothing
-- params:  none
SELECT
    queued.slice_id,
    queued.part,
    queued.table_name,
    queued.row_count,
    queued.increments
FROM rollup_increments AS queued
LEFT JOIN merge_slices AS merged
    ON queued.slice_id = merged.slice_id AND merged.state = 'merged'
WHERE merged.slice_id IS NULL

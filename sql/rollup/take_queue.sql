-- name:    rollup/take_queue
-- purpose: Take the queued slices into this recomputation. Some buckets of slices merged later are recomputed twice.
-- grain:   one row per slice
-- reads:   rollup_queue
-- writes:  rolled_slices
-- params:  none
INSERT INTO rolled_slices (
    slice_id,
    table_name
)
SELECT
    slice_id,
    table_name
FROM rollup_queue

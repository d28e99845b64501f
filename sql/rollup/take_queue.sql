-- name:    rollup/take_queue
-- purpose: Which slices this recomputation is for; of one that is merged later some buckets are recomputed too often.
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

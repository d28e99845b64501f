-- name:    rollup/take_slices
-- purpose: Remove the slices whose buckets are recomputed from the queue. Idempotent.
-- grain:   one row per slice
-- reads:   rolled_slices
-- writes:  rollup_queue, left_rows
-- params:  none
DELETE was FROM left_rows AS was
INNER JOIN rolled_slices AS rolled ON was.slice_id = rolled.slice_id;

DELETE queue FROM rollup_queue AS queue
INNER JOIN rolled_slices AS rolled ON queue.slice_id = rolled.slice_id;

-- name:    rollup/take_slices
-- purpose: Forget the slices whose buckets are recomputed; the same ones twice changes nothing.
-- grain:   one row per slice
-- reads:   rolled_slices
-- writes:  rollup_queue, left_rows
-- params:  none
DELETE was FROM left_rows AS was
INNER JOIN rolled_slices AS rolled ON was.slice_id = rolled.slice_id;

DELETE queue FROM rollup_queue AS queue
INNER JOIN rolled_slices AS rolled ON queue.slice_id = rolled.slice_id;

-- name:    merge/enqueue_rollups
-- purpose: Queue a slice for the recomputation of its buckets.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  rollup_queue
-- params:  slice_id bigint, table_name varchar
INSERT INTO rollup_queue (slice_id, table_name)
VALUES (%(slice_id)s, %(table_name)s)

-- name:    merge/unstage_replaced
-- purpose: Delete the earlier staged rows of events that a slice changes, so that the rollups do not count them.
-- grain:   one row per staged row of a merged slice that waits for the rollups
-- reads:   rollup_queue, left_rows
-- writes:  staging_$table
-- params:  slice_id bigint
-- names:   table
DELETE earlier FROM staging_$table AS earlier
INNER JOIN rollup_queue AS queue ON earlier.slice_id = queue.slice_id
INNER JOIN left_rows AS was ON earlier.event_id = was.event_id
WHERE was.slice_id = %(slice_id)s

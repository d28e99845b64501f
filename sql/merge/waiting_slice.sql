-- name:    merge/waiting_slice
-- purpose: The slice of a shard that is held or that a person accepted.
-- grain:   at most one row
-- reads:   merge_slices
-- writes:  nothing
-- params:  table_name varchar, shard int
SELECT
    slice_id,
    table_name,
    from_version,
    to_version,
    state,
    rows_read,
    quarantined,
    progress,
    detail
FROM merge_slices
WHERE
    table_name = %(table_name)s
    AND shard = %(shard)s
    AND state IN ('held', 'accepted')
ORDER BY slice_id
LIMIT 1

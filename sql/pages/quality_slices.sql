-- name:    pages/quality_slices
-- purpose: The newest slices of a table in a state, for the gate's latest verdict or its held slices.
-- grain:   one row per slice, newest first
-- reads:   merge_slices
-- writes:  nothing
-- params:  table_name varchar, state varchar, top int
SELECT
    slice_id,
    table_name,
    rows_read,
    quarantined,
    audited_at,
    detail
FROM merge_slices
WHERE
    table_name = %(table_name)s
    AND state = %(state)s
ORDER BY slice_id DESC
LIMIT %(top)s

-- name:    live/quality_slices
-- purpose: What the gate said last of each table, and every slice that it holds.
-- grain:   one row per table's newest merged slice, and per held slice, by table
-- reads:   merge_slices
-- writes:  nothing
-- params:  none
SELECT
    slice.slice_id,
    slice.table_name,
    slice.state,
    slice.rows_read,
    slice.quarantined,
    slice.audited_at,
    slice.detail
FROM merge_slices AS slice
INNER JOIN (
    SELECT
        table_name,
        MAX(slice_id) AS slice_id
    FROM merge_slices
    WHERE state = 'merged'
    GROUP BY table_name
    UNION ALL
    SELECT
        table_name,
        slice_id
    FROM merge_slices
    WHERE state = 'held'
) AS wanted ON slice.slice_id = wanted.slice_id
ORDER BY
    slice.table_name,
    slice.slice_id

-- name:    operate/staged
-- purpose: The newest staged slice of each reporting table, whether merged or not.
-- grain:   one row per reporting table that has ever staged
-- reads:   merge_slices
-- writes:  nothing
-- params:  none

SELECT
    slices.table_name,
    slices.progress
FROM merge_slices AS slices
INNER JOIN (
    SELECT MAX(slice_id) AS slice_id
    FROM merge_slices
    WHERE staged_at IS NOT NULL
    GROUP BY table_name
) AS newest ON slices.slice_id = newest.slice_id

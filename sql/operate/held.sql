-- name:    operate/held
-- purpose: Count the held slices.
-- grain:   one row per reporting table with a held slice
-- reads:   merge_slices
-- writes:  nothing
-- params:  none

SELECT
    table_name,
    COUNT(*) AS slices
FROM merge_slices
WHERE state = 'held'
GROUP BY table_name

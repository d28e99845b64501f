-- name:    quality/books/rebuilt
-- purpose: When a reporting table was last made anew.
-- grain:   one row; null: none was
-- reads:   merge_slices
-- writes:  nothing
-- params:  none
SELECT MAX(merged_at) AS rebuilt_at
FROM merge_slices
WHERE
    state = 'merged'
    AND from_version = -1
    AND detail LIKE '{"rebuild":%'

-- name:    erase/newest_slice
-- purpose: The newest merged slice.
-- grain:   one row; null before the first
-- reads:   merge_slices
-- writes:  nothing
-- params:  none
SELECT MAX(slice_id) AS slice_id
FROM merge_slices

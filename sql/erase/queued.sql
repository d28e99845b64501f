-- name:    erase/queued
-- purpose: How many increments are queued of slices up to one.
-- grain:   one row
-- reads:   rollup_increments
-- writes:  nothing
-- params:  slice_id bigint
SELECT COUNT(*) AS parts
FROM rollup_increments
WHERE slice_id <= %(slice_id)s

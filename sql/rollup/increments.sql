-- name:    rollup/increments
-- purpose: The queued increments up to a slice.
-- grain:   one row per slice and part
-- reads:   rollup_increments
-- writes:  nothing
-- params:  slice_id bigint
SELECT
    slice_id,
    part,
    table_name,
    increments
FROM rollup_increments
WHERE slice_id <= %(slice_id)s

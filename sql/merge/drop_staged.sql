-- name:    merge/drop_staged
-- purpose: Remove the staged rows of slices that are no longer needed.
-- grain:   one row per staged change
-- reads:   nothing
-- writes:  staging_$table
-- params:  slice_ids list of bigint
-- names:   table
DELETE FROM staging_$table
WHERE slice_id IN %(slice_ids)s

-- name:    merge/close_slice
-- purpose: Write the outcome of a slice into the ledger.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  slice_id bigint, inserted bigint, updated bigint, deleted bigint, duplicates bigint, conflicting bigint, overtaken bigint
UPDATE merge_slices
SET
    state = 'merged',
    inserted = %(inserted)s,
    updated = %(updated)s,
    deleted = %(deleted)s,
    duplicates = %(duplicates)s,
    conflicting = %(conflicting)s,
    overtaken = %(overtaken)s,
    merged_at = CURRENT_TIMESTAMP(6)
WHERE slice_id = %(slice_id)s

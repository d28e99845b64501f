-- name:    merge/close_accepted
-- purpose: Record the outcome of a slice that a person accepted: changes no row if the decision was taken back.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  slice_id bigint, rows_read bigint, inserted bigint, updated bigint, deleted bigint, duplicates bigint, conflicting bigint, overtaken bigint, quarantined bigint
UPDATE merge_slices
SET
    state = 'merged',
    rows_read = %(rows_read)s,
    inserted = %(inserted)s,
    updated = %(updated)s,
    deleted = %(deleted)s,
    duplicates = %(duplicates)s,
    conflicting = %(conflicting)s,
    overtaken = %(overtaken)s,
    quarantined = %(quarantined)s,
    merged_at = CURRENT_TIMESTAMP(6)
WHERE
    slice_id = %(slice_id)s
    AND state = 'accepted'

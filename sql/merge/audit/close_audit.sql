-- name:    merge/audit/close_audit
-- purpose: Note that the gate has had its say, how many rows it took out, and what it minded.
-- grain:   one row per slice
-- reads:   nothing
-- writes:  merge_slices
-- params:  slice_id bigint, quarantined bigint, detail text
UPDATE merge_slices
SET
    quarantined = quarantined + %(quarantined)s,
    audited_at = CURRENT_TIMESTAMP(6),
    detail = COALESCE(%(detail)s, detail)
WHERE slice_id = %(slice_id)s

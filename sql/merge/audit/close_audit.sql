-- name:    merge/audit/close_audit
-- purpose: Record the end of an audit: the number of quarantined rows, and the warnings.
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

-- name:    erase/erasure
-- purpose: An erasure, for its receipt.
-- grain:   one row, or none
-- reads:   erasures
-- writes:  nothing
-- params:  erasure_id varchar
SELECT
    erasure_id,
    reason,
    requested_by,
    approved_by,
    erase_pins,
    counts,
    receipt,
    started_at,
    finished_at
FROM erasures
WHERE erasure_id = %(erasure_id)s

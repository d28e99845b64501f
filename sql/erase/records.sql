-- name:    erase/records
-- purpose: How many rows an erasure took out of the lake, by event type.
-- grain:   one row per event type
-- reads:   erased_records
-- writes:  nothing
-- params:  erasure_id varchar
SELECT
    event_type,
    COUNT(*) AS records
FROM erased_records
WHERE erasure_id = %(erasure_id)s
GROUP BY event_type

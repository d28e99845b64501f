-- name:    erase/erased_ids
-- purpose: The events of which an erasure took a delivery out of the lake.
-- grain:   one row per event_id and event type
-- reads:   erased_records
-- writes:  nothing
-- params:  erasure_id varchar
SELECT DISTINCT
    event_id,
    event_type
FROM erased_records
WHERE erasure_id = %(erasure_id)s AND event_id IS NOT NULL

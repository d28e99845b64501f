-- name:    quality/known
-- purpose: Which of some event ids are in a reporting table, at whatever time, and by which delivery.
-- grain:   one row per event_id
-- reads:   $table
-- writes:  nothing
-- params:  ids varchar
-- names:   table
SELECT
    event_id,
    kafka_partition,
    kafka_offset,
    occurred_hour
FROM $table
WHERE event_id IN %(ids)s

-- name:    merge/note_pending
-- purpose: Note the pins that rows of a slice still wait for. Idempotent.
-- grain:   one row per pin_id and day
-- reads:   staging_$table
-- writes:  pending_pins
-- params:  slice_id bigint
-- names:   table

INSERT IGNORE INTO pending_pins (
    pin_id,
    event_date
)
SELECT DISTINCT
    pin_id,
    CAST(occurred_at AS DATE) AS event_date
FROM staging_$table
WHERE slice_id = %(slice_id)s AND pin_status = 'pending' AND change_type = 'upsert'

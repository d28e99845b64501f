-- name:    audit/slice
-- purpose: What the gate looks at: the rows that a slice would insert or update, and how far apart their times are.
-- grain:   one row per staged upsert
-- reads:   staging_$table
-- writes:  nothing
-- params:  none
-- names:   table, slice_id

-- Great Expectations takes the text of a query, so the slice's number is filled in as a name is.
-- Deletes are not looked at: an erasure must never be kept in quarantine.
SELECT
    staged.*,
    TIMESTAMPDIFF(SECOND, staged.kafka_timestamp, staged.occurred_at) AS seconds_after_kafka
FROM staging_$table AS staged
WHERE
    staged.slice_id = $slice_id
    AND staged.change_type = 'upsert'

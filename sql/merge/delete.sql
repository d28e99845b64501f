-- name:    merge/delete
-- purpose: Delete the rows that leave the table, and those that are loaded again as they are now.
-- grain:   one row per event_id
-- reads:   gone_ids
-- writes:  $table
-- params:  none
-- names:   table

-- By the place too: a delivery that came to the table since the plan was made is not the one that it takes away.
DELETE kept FROM $table AS kept
INNER JOIN gone_ids AS gone
    ON
        kept.event_id = gone.event_id
        AND kept.kafka_partition = gone.kafka_partition
        AND kept.kafka_offset = gone.kafka_offset

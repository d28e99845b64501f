-- name:    merge/note_new_minutes
-- purpose: Note the minutes of new and changed repins, which the next refresh of the trends recounts.
-- grain:   one row per slice and minute
-- reads:   staging_repins
-- writes:  touched_minutes
-- params:  slice_id bigint

-- Runs after merge/unstage_unused, so all staged rows are in the table. Events that are hours late affect no trend.
INSERT IGNORE INTO touched_minutes (
    slice_id,
    minute
)
SELECT DISTINCT
    staged.slice_id,
    staged.occurred_hour + INTERVAL MINUTE(staged.occurred_at) MINUTE AS minute
FROM staging_repins AS staged
WHERE
    staged.slice_id = %(slice_id)s
    AND staged.occurred_at > staged.kafka_timestamp - INTERVAL 3 HOUR

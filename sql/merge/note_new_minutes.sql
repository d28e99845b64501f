-- name:    merge/note_new_minutes
-- purpose: Note the minutes that new and changed repins are in, for the next refresh of the trends to recount.
-- grain:   one row per slice and minute
-- reads:   staging_repins
-- writes:  touched_minutes
-- params:  slice_id bigint

-- After merge/unstage_unused: all that is staged is in the table. What came hours late is not looked at by a trend, nor noted.
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

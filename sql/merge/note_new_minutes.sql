-- name:    merge/note_new_minutes
-- purpose: Note the minutes that new and changed repins are in, for the next refresh of the trends to recount.
-- grain:   one row per slice and minute
-- reads:   merge_plan, staging_repins
-- writes:  touched_minutes
-- params:  slice_id bigint

-- What came hours late is not looked at by a trend, nor noted.
INSERT IGNORE INTO touched_minutes (
    slice_id,
    minute
)
SELECT DISTINCT
    staged.slice_id,
    staged.occurred_hour + INTERVAL MINUTE(staged.occurred_at) MINUTE AS minute
FROM merge_plan AS planned
INNER JOIN staging_repins AS staged
    ON planned.row_num = staged.row_num AND staged.slice_id = %(slice_id)s
WHERE
    planned.action IN ('insert', 'update')
    AND staged.occurred_at > staged.kafka_timestamp - INTERVAL 3 HOUR

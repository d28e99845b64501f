-- name:    merge/note_new_people
-- purpose: Note who is there on which day by a new or changed row.
-- grain:   one row per day and user_id
-- reads:   merge_plan, staging_$table
-- writes:  touched_people
-- params:  slice_id bigint
-- names:   table
INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(staged.occurred_hour) AS day,
    staged.user_id,
    1 AS is_seen
FROM merge_plan AS planned
INNER JOIN staging_$table AS staged
    ON planned.row_num = staged.row_num AND staged.slice_id = %(slice_id)s
WHERE planned.action IN ('insert', 'update')
ON DUPLICATE KEY UPDATE is_seen = 1

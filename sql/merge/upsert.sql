-- name:    merge/upsert
-- purpose: Upsert the newly staged rows of a slice. Idempotent.
-- grain:   one row per event_id
-- reads:   staging_$table, merge_plan
-- writes:  $table
-- params:  slice_id bigint
-- names:   table, columns

-- A row that the plan does not name is a new event. A change carries every column, so the upsert replaces the row.
REPLACE INTO $table (
    $columns
)
SELECT $columns
FROM staging_$table
WHERE
    slice_id = %(slice_id)s
    AND row_num NOT IN (
        SELECT row_num
        FROM merge_plan
        WHERE action <> 'update'
    )

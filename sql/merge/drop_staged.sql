-- name:    merge/drop_staged
-- purpose: Delete staged rows that nobody waits for any more.
-- grain:   one row per staged change
-- reads:   merge_slices
-- writes:  staging_$table
-- params:  table_name varchar
-- names:   table
DELETE FROM staging_$table
WHERE
    slice_id NOT IN (
        SELECT slice_id
        FROM merge_slices
        WHERE
            table_name = %(table_name)s
            AND state IN ('staging', 'staged', 'held', 'accepted')
    )

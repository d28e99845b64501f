-- name:    merge/drop_quarantined
-- purpose: Delete what superseded attempts had quarantined: the next attempt quarantines it again.
-- grain:   one row per quarantined row
-- reads:   merge_slices
-- writes:  quarantine
-- params:  table_name varchar
DELETE FROM quarantine
WHERE
    slice_id IN (
        SELECT slice_id
        FROM merge_slices
        WHERE
            table_name = %(table_name)s
            AND state = 'superseded'
    )

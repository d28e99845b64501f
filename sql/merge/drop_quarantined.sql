-- name:    merge/drop_quarantined
-- purpose: Delete the quarantined rows of superseded attempts: the next attempt quarantines them again.
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

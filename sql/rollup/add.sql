-- name:    rollup/add
-- purpose: Add the sums of increments to the buckets of a rollup that counts people.
-- grain:   one row per bucket
-- reads:   added_$rollup
-- writes:  $rollup
-- params:  none
-- names:   rollup, columns

-- Once only: the increments leave the queue in the same transaction.
INSERT INTO $rollup ($columns)
SELECT $columns
FROM added_$rollup
ON DUPLICATE KEY UPDATE
    pins = $rollup.pins + VALUES (pins),
    repins = $rollup.repins + VALUES (repins),
    comments = $rollup.comments + VALUES (comments),
    unique_people = $rollup.unique_people + VALUES (unique_people),
    updated_at = CURRENT_TIMESTAMP(6)

-- name:    rollup/drop_empty
-- purpose: Delete the buckets whose last row has left.
-- grain:   one row per bucket
-- reads:   added_$rollup
-- writes:  $rollup
-- params:  none
-- names:   rollup, keys

-- noqa: disable=ST07
DELETE kept FROM $rollup AS kept
INNER JOIN added_$rollup AS added USING ($keys)
WHERE
    kept.pins = 0
    AND kept.repins = 0
    AND kept.comments = 0

-- name:    rollup/clear
-- purpose: Delete what is kept of a day, before its rows are added again.
-- grain:   one row per bucket
-- reads:   nothing
-- writes:  $rollup
-- params:  day date
-- names:   rollup, time_column
DELETE FROM $rollup
WHERE
    $time_column >= %(day)s
    AND $time_column < %(day)s + INTERVAL 1 DAY

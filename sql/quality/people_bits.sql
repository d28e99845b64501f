-- name:    quality/people_bits
-- purpose: The bits of a day's or an hour's people.
-- grain:   one row per 64 people
-- reads:   $rollup
-- writes:  nothing
-- params:  at datetime
-- names:   rollup, time_column
SELECT
    chunk,
    bits
FROM $rollup
WHERE $time_column = %(at)s

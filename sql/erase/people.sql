-- name:    erase/people
-- purpose: All people in the order of their numbers, for the scan.
-- grain:   one row per block of 8192 people
-- reads:   people
-- writes:  nothing
-- params:  none
SELECT user_ids
FROM people
ORDER BY block

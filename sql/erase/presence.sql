-- name:    erase/presence
-- purpose: All buckets of people, to look for one who was erased.
-- grain:   one row per bucket
-- reads:   presence
-- writes:  nothing
-- params:  none
SELECT
    planes,
    recent
FROM presence

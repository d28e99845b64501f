-- name:    rollup/trends/drop_minutes
-- purpose: Make room for the recount of a run of minutes.
-- grain:   one row per minute, kind and item
-- reads:   repin_minutes
-- writes:  repin_minutes
-- params:  from_minute datetime, to_minute datetime
DELETE FROM repin_minutes
WHERE minute >= %(from_minute)s AND minute < %(to_minute)s

-- name:    rollup/trends/drop_minutes
-- purpose: Delete consecutive minutes' counts, before they are recounted.
-- grain:   one row per minute, kind and item
-- reads:   repin_minutes
-- writes:  repin_minutes
-- params:  from_minute datetime, to_minute datetime
DELETE FROM repin_minutes
WHERE minute >= %(from_minute)s AND minute < %(to_minute)s

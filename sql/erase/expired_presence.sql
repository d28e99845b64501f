-- name:    erase/expired_presence
-- purpose: Delete buckets of people of days before one, whose rows have expired.
-- grain:   one row per row
-- reads:   nothing
-- writes:  presence
-- params:  before_time date, most int
DELETE FROM presence
WHERE day < %(before_time)s
LIMIT %(most)s

-- name:    operate/retention/delete_presence
-- purpose: Delete buckets of people of days before one.
-- grain:   one row per row
-- reads:   presence
-- writes:  presence
-- params:  before_time datetime, most int
DELETE FROM presence
WHERE day < %(before_time)s
LIMIT %(most)s

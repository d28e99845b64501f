-- name:    operate/retention/count_presence
-- purpose: Count the buckets of people of days before one.
-- grain:   one row
-- reads:   presence
-- writes:  nothing
-- params:  before_time datetime
SELECT COUNT(*) AS found
FROM presence
WHERE day < %(before_time)s

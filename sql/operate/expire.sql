-- name:    operate/expire
-- purpose: Delete measures that are older than the retention.
-- grain:   one row per measure and look
-- reads:   nothing
-- writes:  health
-- params:  before_time datetime

DELETE FROM health
WHERE measured_at < %(before_time)s

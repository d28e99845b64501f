-- name:    operate/expire
-- purpose: Forget what is older than the history that is kept.
-- grain:   one row per measure and look
-- reads:   nothing
-- writes:  health
-- params:  before_time datetime

DELETE FROM health
WHERE measured_at < %(before_time)s

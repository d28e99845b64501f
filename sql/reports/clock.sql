-- name:    reports/clock
-- purpose: What time it is for the database, whose clock the rollups' updated_at is of.
-- grain:   one row
-- reads:   nothing
-- writes:  nothing
-- params:  none
SELECT UTC_TIMESTAMP(6) AS now_utc

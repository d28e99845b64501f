-- name:    reports/clock
-- purpose: The database's time, which also sets the rollups' updated_at.
-- grain:   one row
-- reads:   nothing
-- writes:  nothing
-- params:  none
SELECT UTC_TIMESTAMP(6) AS now_utc

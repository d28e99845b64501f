-- name:    operate/retention/delete_logins
-- purpose: Delete the logins of an hour, which are counted in the same transaction.
-- grain:   one row per event_id
-- reads:   nothing
-- writes:  logins
-- params:  hour datetime
DELETE FROM logins
WHERE occurred_hour = %(hour)s

-- name:    merge/rebuild/drop_aside
-- purpose: Delete the rows that a rebuild has set aside, when it begins again or is given up.
-- grain:   one row per quarantined row
-- reads:   nothing
-- writes:  quarantine
-- params:  rebuilt varchar
DELETE FROM quarantine
WHERE table_name = %(rebuilt)s

-- name:    merge/rebuild/settle_quarantine
-- purpose: Make the rows that a rebuild has set aside those of its table.
-- grain:   one row per quarantined row
-- reads:   nothing
-- writes:  quarantine
-- params:  table_name varchar, rebuilt varchar
UPDATE quarantine
SET table_name = %(table_name)s
WHERE table_name = %(rebuilt)s

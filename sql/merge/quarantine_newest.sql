-- name:    merge/quarantine_newest
-- purpose: The newest slice with quarantined rows of a table; null: there are none.
-- grain:   one row
-- reads:   quarantine
-- writes:  nothing
-- params:  table_name varchar
SELECT MAX(slice_id) AS slice_id
FROM quarantine
WHERE table_name = %(table_name)s

-- name:    operate/retention/rebuilding
-- purpose: The tables that are being rebuilt; and let no rebuild be asked for until this transaction ends.
-- grain:   one row per table
-- reads:   rebuilds
-- writes:  nothing
-- params:  none
SELECT table_name
FROM rebuilds
FOR UPDATE

-- name:    merge/rebuild/drop_replaced
-- purpose: Drop the old table of a rebuild that is done, or of one that died before.
-- grain:   one row per event_id
-- reads:   nothing
-- writes:  replaced_$table
-- params:  none
-- names:   table
DROP TABLE IF EXISTS replaced_$table

-- name:    rollup/touch_logins
-- purpose: Note the people whose logins were touched, from a staging table or left_rows.
-- grain:   one row per user_id
-- reads:   rolled_slices, $source
-- writes:  touched_logins
-- params:  none
-- names:   source
INSERT IGNORE INTO touched_logins (user_id)
SELECT DISTINCT changed.user_id
FROM rolled_slices AS rolled
INNER JOIN $source AS changed ON rolled.slice_id = changed.slice_id
WHERE rolled.table_name = 'logins'

-- name:    enrich/work_table
-- purpose: Create an empty work table of this connection, for versions of pins.
-- grain:   one row per pin_id
-- reads:   pin_cache
-- writes:  pin_versions
-- params:  none
DROP TEMPORARY TABLE IF EXISTS pin_versions;

CREATE TEMPORARY TABLE pin_versions LIKE pin_cache;

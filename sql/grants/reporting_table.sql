-- name:    grants/reporting_table
-- purpose: The rights on one reporting table: the merge empties its staging table, analysts read it. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database, table
GRANT DROP ON $database.staging_$table TO 'pinwheel_merge'@%(host)s;
GRANT SELECT ON $database.$table TO 'pinwheel_analyst'@%(host)s;

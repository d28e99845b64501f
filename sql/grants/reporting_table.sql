-- name:    grants/reporting_table
-- purpose: Analysts read a reporting table; the merge changes it, and may exchange it with a rebuilt one. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database, table
GRANT SELECT ON $database.$table TO 'pinwheel_analyst'@%(host)s;
GRANT INSERT, DELETE, CREATE, ALTER, DROP ON $database.$table TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE, CREATE, ALTER, DROP ON $database.rebuilt_$table TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, CREATE, DROP ON $database.replaced_$table TO 'pinwheel_merge'@%(host)s;

-- name:    grants/reporting_table
-- purpose: Analysts read a reporting table; the merge may exchange it with a rebuilt one. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database, table
GRANT SELECT ON $database.$table TO 'pinwheel_analyst'@%(host)s;
GRANT CREATE, ALTER, DROP, INSERT ON $database.$table TO 'pinwheel_merge'@%(host)s;
GRANT CREATE, ALTER, DROP, INSERT ON $database.rebuilt_$table TO 'pinwheel_merge'@%(host)s;
GRANT CREATE, ALTER, DROP, INSERT ON $database.replaced_$table TO 'pinwheel_merge'@%(host)s;

-- name:    grants/merge
-- purpose: What the merge may do next to reading and writing rows: empty its staging tables. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database
GRANT DROP ON $database.staging_pins TO 'pinwheel_merge'@%(host)s;
GRANT DROP ON $database.staging_repins TO 'pinwheel_merge'@%(host)s;
GRANT DROP ON $database.staging_comments TO 'pinwheel_merge'@%(host)s;
GRANT DROP ON $database.staging_logins TO 'pinwheel_merge'@%(host)s;

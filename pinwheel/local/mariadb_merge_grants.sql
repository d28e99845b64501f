-- name:    local/mariadb_merge_grants
-- purpose: What the merge may do beside reading and writing rows: empty its staging tables. Needs the schema.
-- params:  $database (checked by its setting)

GRANT DROP ON `$database`.staging_pins TO 'pinwheel_merge'@'127.0.0.1';
GRANT DROP ON `$database`.staging_repins TO 'pinwheel_merge'@'127.0.0.1';
GRANT DROP ON `$database`.staging_comments TO 'pinwheel_merge'@'127.0.0.1';
GRANT DROP ON `$database`.staging_logins TO 'pinwheel_merge'@'127.0.0.1';

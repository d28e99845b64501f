-- name:    server/singlestore_users
-- purpose: The database and its users, each with no more than its work needs; applied at every start.
-- params:  $database (checked by its setting), and the passwords, bound

CREATE DATABASE IF NOT EXISTS $database;

CREATE USER IF NOT EXISTS pinwheel_merge IDENTIFIED BY %(merge)s;
ALTER USER pinwheel_merge IDENTIFIED BY %(merge)s;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, SHOW VIEW ON $database.* TO pinwheel_merge;

CREATE USER IF NOT EXISTS pinwheel_stream IDENTIFIED BY %(stream)s;
ALTER USER pinwheel_stream IDENTIFIED BY %(stream)s;

CREATE USER IF NOT EXISTS pinwheel_report IDENTIFIED BY %(report)s;
ALTER USER pinwheel_report IDENTIFIED BY %(report)s;
GRANT SELECT ON $database.* TO pinwheel_report;

-- A limit on the time of a statement is a resource pool's here; see docs/deploy.md.
CREATE USER IF NOT EXISTS pinwheel_analyst IDENTIFIED BY %(analyst)s;
ALTER USER pinwheel_analyst IDENTIFIED BY %(analyst)s;

-- name:    local/mariadb_users
-- purpose: The database and its users, each with no more than its work needs; applied at every start.
-- params:  $database (checked by its setting), and the passwords, bound

CREATE DATABASE IF NOT EXISTS `$database`;

CREATE USER IF NOT EXISTS 'pinwheel_admin'@'127.0.0.1';
ALTER USER 'pinwheel_admin'@'127.0.0.1' IDENTIFIED BY %(memsql_admin)s;
GRANT ALL PRIVILEGES ON `$database`.* TO 'pinwheel_admin'@'127.0.0.1';

CREATE USER IF NOT EXISTS 'pinwheel_merge'@'127.0.0.1';
ALTER USER 'pinwheel_merge'@'127.0.0.1' IDENTIFIED BY %(memsql_merge)s;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, SHOW VIEW ON `$database`.* TO 'pinwheel_merge'@'127.0.0.1';

CREATE USER IF NOT EXISTS 'pinwheel_stream'@'127.0.0.1';
ALTER USER 'pinwheel_stream'@'127.0.0.1' IDENTIFIED BY %(memsql_stream)s;

CREATE USER IF NOT EXISTS 'pinwheel_report'@'127.0.0.1';
ALTER USER 'pinwheel_report'@'127.0.0.1' IDENTIFIED BY %(memsql_report)s;
GRANT SELECT ON `$database`.* TO 'pinwheel_report'@'127.0.0.1';

-- For people who write SQL: what they may read is granted when the schema is there. No statement of theirs runs on for
-- more than a minute beside the merges.
CREATE USER IF NOT EXISTS 'pinwheel_analyst'@'127.0.0.1';
ALTER USER 'pinwheel_analyst'@'127.0.0.1' IDENTIFIED BY %(memsql_analyst)s
WITH MAX_STATEMENT_TIME 60 MAX_USER_CONNECTIONS 20;

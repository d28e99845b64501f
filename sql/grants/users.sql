-- name:    grants/users
-- purpose: The database and its users, each with no more than its work needs; the passwords are set anew.
-- grain:   a user
-- reads:   nothing
-- writes:  nothing
-- params:  host, merge, stream, report, analyst
-- names:   database
CREATE DATABASE IF NOT EXISTS $database;

CREATE USER IF NOT EXISTS 'pinwheel_merge'@%(host)s IDENTIFIED BY %(merge)s;
ALTER USER 'pinwheel_merge'@%(host)s IDENTIFIED BY %(merge)s;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, SHOW VIEW ON $database.* TO 'pinwheel_merge'@%(host)s;

CREATE USER IF NOT EXISTS 'pinwheel_stream'@%(host)s IDENTIFIED BY %(stream)s;
ALTER USER 'pinwheel_stream'@%(host)s IDENTIFIED BY %(stream)s;

CREATE USER IF NOT EXISTS 'pinwheel_report'@%(host)s IDENTIFIED BY %(report)s;
ALTER USER 'pinwheel_report'@%(host)s IDENTIFIED BY %(report)s;
GRANT SELECT ON $database.* TO 'pinwheel_report'@%(host)s;

-- No analyst's statement may run for more than a minute next to the merges. In SingleStore a resource pool limits that.
CREATE USER IF NOT EXISTS 'pinwheel_analyst'@%(host)s IDENTIFIED BY %(analyst)s;
ALTER USER 'pinwheel_analyst'@%(host)s IDENTIFIED BY %(analyst)s
--mariadb: WITH MAX_STATEMENT_TIME 60 MAX_USER_CONNECTIONS 20
;

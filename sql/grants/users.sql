-- name:    grants/users
-- purpose: Create the database and its users with the least rights they need, and reset their passwords.
-- grain:   a user
-- reads:   nothing
-- writes:  nothing
-- params:  host, merge, stream, report, analyst
-- names:   database
CREATE DATABASE IF NOT EXISTS $database;

CREATE USER IF NOT EXISTS 'pinwheel_merge'@%(host)s IDENTIFIED BY %(merge)s;
ALTER USER 'pinwheel_merge'@%(host)s IDENTIFIED BY %(merge)s;
GRANT SELECT, CREATE TEMPORARY TABLES ON $database.* TO 'pinwheel_merge'@%(host)s;

CREATE USER IF NOT EXISTS 'pinwheel_stream'@%(host)s IDENTIFIED BY %(stream)s;
ALTER USER 'pinwheel_stream'@%(host)s IDENTIFIED BY %(stream)s;

CREATE USER IF NOT EXISTS 'pinwheel_report'@%(host)s IDENTIFIED BY %(report)s;
ALTER USER 'pinwheel_report'@%(host)s IDENTIFIED BY %(report)s;
GRANT SELECT ON $database.* TO 'pinwheel_report'@%(host)s;

-- Analysts' statements may run for at most a minute, to protect the merges. On SingleStore a resource pool limits them.
CREATE USER IF NOT EXISTS 'pinwheel_analyst'@%(host)s IDENTIFIED BY %(analyst)s;
ALTER USER 'pinwheel_analyst'@%(host)s IDENTIFIED BY %(analyst)s
--mariadb: WITH MAX_STATEMENT_TIME 60 MAX_USER_CONNECTIONS 20
;

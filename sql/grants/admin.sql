-- name:    grants/admin
-- purpose: Create the owner of the schema in the embedded database; on a server, its administrator does that.
-- grain:   a user
-- reads:   nothing
-- writes:  nothing
-- params:  host, admin
-- names:   database
CREATE USER IF NOT EXISTS 'pinwheel_admin'@%(host)s IDENTIFIED BY %(admin)s;
ALTER USER 'pinwheel_admin'@%(host)s IDENTIFIED BY %(admin)s;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, CREATE VIEW, SHOW VIEW ON $database.* TO 'pinwheel_admin'@%(host)s;
--mariadb: REVOKE REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, DELETE HISTORY, SHOW CREATE ROUTINE ON $database.* FROM 'pinwheel_admin'@%(host)s;

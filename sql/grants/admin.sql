-- name:    grants/admin
-- purpose: Create the owner of the schema in the embedded database; on a server, its administrator does that.
-- grain:   a user
-- reads:   nothing
-- writes:  nothing
-- params:  host, admin
-- names:   database
CREATE USER IF NOT EXISTS 'pinwheel_admin'@%(host)s IDENTIFIED BY %(admin)s;
ALTER USER 'pinwheel_admin'@%(host)s IDENTIFIED BY %(admin)s;
GRANT ALL PRIVILEGES ON $database.* TO 'pinwheel_admin'@%(host)s;

-- name:    grants/admin
-- purpose: The owner of the schema in the embedded database; a server's own administrator makes it there.
-- grain:   a user
-- reads:   nothing
-- writes:  nothing
-- params:  host, admin
-- names:   database
CREATE USER IF NOT EXISTS 'pinwheel_admin'@%(host)s IDENTIFIED BY %(admin)s;
ALTER USER 'pinwheel_admin'@%(host)s IDENTIFIED BY %(admin)s;
GRANT ALL PRIVILEGES ON $database.* TO 'pinwheel_admin'@%(host)s;

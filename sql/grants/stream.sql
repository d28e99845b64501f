-- name:    grants/stream
-- purpose: The stream's rights: the pin cache, a work table of its own for it, and nothing else. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database
GRANT CREATE TEMPORARY TABLES ON $database.* TO 'pinwheel_stream'@%(host)s;
GRANT SELECT, INSERT, UPDATE ON $database.pin_cache TO 'pinwheel_stream'@%(host)s;
--mariadb: REVOKE DELETE ON $database.pin_cache FROM 'pinwheel_stream'@%(host)s;

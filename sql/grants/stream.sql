-- name:    grants/stream
-- purpose: The stream's rights: the pin cache, and nothing else. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database
GRANT SELECT, INSERT, UPDATE, DELETE ON $database.pin_cache TO 'pinwheel_stream'@%(host)s;

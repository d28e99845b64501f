-- name:    grants/stream
-- purpose: What the stream may touch: the pin cache, and the tables that its alerts are kept in. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database
GRANT SELECT, INSERT, UPDATE ON $database.pin_cache TO 'pinwheel_stream'@%(host)s;
GRANT SELECT, INSERT, UPDATE ON $database.alerts TO 'pinwheel_stream'@%(host)s;
GRANT SELECT, INSERT, UPDATE ON $database.alert_messages TO 'pinwheel_stream'@%(host)s;
GRANT SELECT, UPDATE ON $database.merge_locks TO 'pinwheel_stream'@%(host)s;

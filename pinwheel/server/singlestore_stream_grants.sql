-- name:    server/singlestore_stream_grants
-- purpose: What the stream may touch: the pin cache, and the tables that its alerts are kept in. Needs the schema.
-- params:  $database (checked by its setting)

GRANT SELECT, INSERT, UPDATE ON $database.pin_cache TO pinwheel_stream;
GRANT SELECT, INSERT, UPDATE ON $database.alerts TO pinwheel_stream;
GRANT SELECT, INSERT, UPDATE ON $database.alert_messages TO pinwheel_stream;
GRANT SELECT, UPDATE ON $database.merge_locks TO pinwheel_stream;

-- name:    server/singlestore_stream_grants
-- purpose: What the stream may touch: the pin cache, and the table that its alerts are kept in. Needs the schema.
-- params:  $database (checked by its setting)

GRANT SELECT, INSERT, UPDATE ON $database.pin_cache TO pinwheel_stream;
GRANT SELECT, INSERT, UPDATE ON $database.alerts TO pinwheel_stream;

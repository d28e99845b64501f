-- name:    operate/insert
-- purpose: Store a measure. Idempotent.
-- grain:   one row per measure and time
-- reads:   nothing
-- writes:  health
-- params:  measured_at datetime, measure varchar, subject varchar, value double, max_value double, is_well int

INSERT IGNORE INTO health (measured_at, measure, subject, value, max_value, is_well)
VALUES (%(measured_at)s, %(measure)s, %(subject)s, %(value)s, %(max_value)s, %(is_well)s)

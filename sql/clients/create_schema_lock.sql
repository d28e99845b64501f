-- name:    clients/create_schema_lock
-- purpose: Create the row that a starter locks while it migrates; it must exist before the first migration.
-- grain:   one row
-- reads:   nothing
-- writes:  schema_lock
-- params:  none
CREATE TABLE IF NOT EXISTS schema_lock (
    id INT NOT NULL COMMENT 'Always 1',
    PRIMARY KEY (id)
) COMMENT = 'Its row is locked while migrations run';

INSERT IGNORE INTO schema_lock (id) VALUES (1);

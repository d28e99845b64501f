-- name:    schema/0020_pin_versions
-- purpose: Which version of a pin pin_cache has; and pins that the Pin API does not know are waited for as well.
-- grain:   pin_cache has one row per pin_id, pending_pins one per pin_id and day of the rows that wait
-- reads:   repins, comments
-- writes:  pin_cache, pending_pins
-- params:  none

-- Rows that are there have no version, so the next pin event of each replaces it.
--mariadb: ALTER TABLE pin_cache
--mariadb: ADD COLUMN IF NOT EXISTS occurred_at DATETIME(6)
--mariadb: COMMENT 'Time of the pin event, UTC; null: of the Pin API';
--singlestore: ALTER TABLE pin_cache
--singlestore: ADD COLUMN occurred_at DATETIME(6)
--singlestore: COMMENT 'Time of the pin event, UTC; null: of the Pin API';
--mariadb: ALTER TABLE pin_cache
--mariadb: ADD COLUMN IF NOT EXISTS kafka_partition INT
--mariadb: COMMENT 'Partition of the pin event; null: of the Pin API';
--singlestore: ALTER TABLE pin_cache
--singlestore: ADD COLUMN kafka_partition INT
--singlestore: COMMENT 'Partition of the pin event; null: of the Pin API';
--mariadb: ALTER TABLE pin_cache
--mariadb: ADD COLUMN IF NOT EXISTS kafka_offset BIGINT
--mariadb: COMMENT 'Offset of the pin event; null: of the Pin API';
--singlestore: ALTER TABLE pin_cache
--singlestore: ADD COLUMN kafka_offset BIGINT
--singlestore: COMMENT 'Offset of the pin event; null: of the Pin API';

--mariadb: ALTER TABLE pending_pins
--mariadb: ADD COLUMN IF NOT EXISTS pin_status VARCHAR(16) NOT NULL DEFAULT 'pending'
--mariadb: COMMENT 'pending: a row may be; unknown: to the Pin API, and all rows say so';
--singlestore: ALTER TABLE pending_pins
--singlestore: ADD COLUMN pin_status VARCHAR(16) NOT NULL DEFAULT 'pending'
--singlestore: COMMENT 'pending: a row may be; unknown: to the Pin API, and all rows say so';
--mariadb: ALTER TABLE pending_pins
--mariadb: ADD COLUMN IF NOT EXISTS asked_at DATETIME(6)
--mariadb: COMMENT 'When complete_pins last asked, UTC; null: never';
--singlestore: ALTER TABLE pending_pins
--singlestore: ADD COLUMN asked_at DATETIME(6)
--singlestore: COMMENT 'When complete_pins last asked, UTC; null: never';
--mariadb: ALTER TABLE pending_pins
--mariadb: MODIFY COLUMN noted_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
--mariadb: COMMENT 'When the last was merged, UTC';

-- As merge/note_pending does, for the rows of a month that were merged before.
INSERT IGNORE INTO pending_pins (pin_id, event_date, pin_status)
SELECT DISTINCT
    event.pin_id,
    DATE(event.occurred_at) AS event_date,
    'unknown' AS pin_status
FROM repins AS event
WHERE event.pin_status = 'unknown' AND event.occurred_hour >= UTC_TIMESTAMP() - INTERVAL 31 DAY;

INSERT IGNORE INTO pending_pins (pin_id, event_date, pin_status)
SELECT DISTINCT
    event.pin_id,
    DATE(event.occurred_at) AS event_date,
    'unknown' AS pin_status
FROM comments AS event
WHERE event.pin_status = 'unknown' AND event.occurred_hour >= UTC_TIMESTAMP() - INTERVAL 31 DAY;

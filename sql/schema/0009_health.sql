-- name:    schema/0009_health
-- purpose: How the pipeline was, minute by minute; 30 days are kept.
-- grain:   one row per measure and look
-- reads:   nothing
-- writes:  health
-- params:  none

CREATE TABLE IF NOT EXISTS health (
    measured_at DATETIME(6) NOT NULL COMMENT 'When it was looked at, UTC',
    measure VARCHAR(64) NOT NULL COMMENT 'What was measured, e.g. lag_records',
    subject VARCHAR(255) NOT NULL COMMENT 'Of what, e.g. a Kafka partition or a table',
    value DOUBLE COMMENT 'What was found; null when it could not be',
    max_value DOUBLE COMMENT 'More than this is unwell; null: for information',
    is_well TINYINT NOT NULL COMMENT '1 unless the value is over the limit or could not be found',
    --singlestore: SHARD KEY (measure, subject),
    PRIMARY KEY (measure, subject, measured_at)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Health of the pipeline, written by watch_health every minute';

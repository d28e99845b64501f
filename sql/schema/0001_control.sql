-- name:    schema/0001_control
-- purpose: The merge's books: locks, watermarks, ledger, progress, quarantine, alerts.
-- grain:   one row per key of each table
-- reads:   nothing
-- writes:  merge_locks, merge_watermarks, merge_slices, merge_progress, quarantine, alerts
-- params:  none

CREATE TABLE IF NOT EXISTS merge_locks (
    name VARCHAR(64) NOT NULL COMMENT 'What the row locks while a transaction holds it FOR UPDATE',
    --singlestore: SHARD KEY (name),
    PRIMARY KEY (name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Rows to lock: merges of different tables take turns on the rollups';

INSERT IGNORE INTO merge_locks (name) VALUES ('rollups');

CREATE TABLE IF NOT EXISTS merge_watermarks (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    version BIGINT NOT NULL COMMENT 'Newest lake version that is merged; -1 before the first',
    --singlestore: SHARD KEY (table_name),
    PRIMARY KEY (table_name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'How far each table has come; moved by compare-and-set only';

CREATE TABLE IF NOT EXISTS merge_slices (
    slice_id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'One attempt to merge a range of versions',
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    from_version BIGINT NOT NULL COMMENT 'Watermark that the slice starts after',
    to_version BIGINT NOT NULL COMMENT 'Last lake version in the slice',
    state VARCHAR(16) NOT NULL COMMENT 'staging, staged, held, accepted, merged or superseded',
    rows_read BIGINT NOT NULL DEFAULT 0 COMMENT 'Staged changes; the counts below add up to it once merged',
    inserted BIGINT NOT NULL DEFAULT 0 COMMENT 'New events',
    updated BIGINT NOT NULL DEFAULT 0 COMMENT 'Corrections of events that were there',
    deleted BIGINT NOT NULL DEFAULT 0 COMMENT 'Events taken away',
    duplicates BIGINT NOT NULL DEFAULT 0 COMMENT 'Later deliveries of an event, same payload; left out',
    conflicting BIGINT NOT NULL DEFAULT 0 COMMENT 'Later deliveries under a used event_id, other payload; left out',
    quarantined BIGINT NOT NULL DEFAULT 0 COMMENT 'Rows that broke a row rule',
    overtaken BIGINT NOT NULL DEFAULT 0 COMMENT 'Changes that a later one replaced, and deletes of absent rows',
    started_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    staged_at DATETIME(6) COMMENT 'When all rows were in staging, UTC',
    audited_at DATETIME(6) COMMENT 'When the gate had its answer, UTC',
    merged_at DATETIME(6) COMMENT 'When the merge was about to commit, UTC',
    progress TEXT COMMENT 'JSON: per Kafka partition the offset and time that the slice reaches',
    detail TEXT COMMENT 'JSON: what failed, what was observed, who decided',
    --mariadb: KEY by_table_state (table_name, state),
    --singlestore: SHARD KEY (slice_id),
    PRIMARY KEY (slice_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'The ledger: every attempt to merge a slice and what came of it';

CREATE TABLE IF NOT EXISTS merge_progress (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    kafka_partition INT NOT NULL COMMENT 'Partition of the topic',
    next_offset BIGINT NOT NULL COMMENT 'First offset that is not merged yet',
    kafka_timestamp DATETIME(6) COMMENT 'Kafka time of the newest merged record, UTC',
    --singlestore: SHARD KEY (table_name, kafka_partition),
    PRIMARY KEY (table_name, kafka_partition)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'What the reporting tables are complete through, per Kafka partition';

CREATE TABLE IF NOT EXISTS quarantine (
    slice_id BIGINT NOT NULL COMMENT 'Slice that the row came with; see merge_slices',
    row_num BIGINT NOT NULL COMMENT 'Number of the row in its slice',
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table that the row was meant for',
    event_id VARCHAR(255) COMMENT 'The event; cut at 255 characters',
    kafka_partition INT COMMENT 'Partition the record came from',
    kafka_offset BIGINT COMMENT 'Offset of the record in its partition',
    reason TEXT NOT NULL COMMENT 'Rules that the row broke, each with the offending value',
    row_json MEDIUMTEXT NOT NULL COMMENT 'JSON object: the whole row as staged',
    quarantined_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --mariadb: KEY by_record (table_name, kafka_partition, kafka_offset),
    --singlestore: SHARD KEY (slice_id, row_num),
    PRIMARY KEY (slice_id, row_num)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Rows kept out of the reporting tables, with the reason';

CREATE TABLE IF NOT EXISTS alerts (
    alert_id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'The alert',
    name VARCHAR(64) NOT NULL COMMENT 'Kind of alert, e.g. slice_held',
    subject VARCHAR(255) NOT NULL COMMENT 'What it is about, e.g. a table',
    severity VARCHAR(16) NOT NULL COMMENT 'critical or warning',
    message TEXT NOT NULL COMMENT 'What happened and what to do',
    runbook VARCHAR(255) COMMENT 'Path of the runbook',
    raised_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    resolved_at DATETIME(6) COMMENT 'UTC; null while it is open',
    --mariadb: KEY open_by_name (name, subject, resolved_at),
    --singlestore: SHARD KEY (alert_id),
    PRIMARY KEY (alert_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Alerts raised by the pipeline';

-- name:    schema/0018_direct_loads
-- purpose: Slices are prepared outside the database and loaded straight; rollups are sums of queued increments (ADR 0012).
-- grain:   one row per key of each table
-- reads:   merge_watermarks, merge_progress, merge_shards, shard_progress, table_progress, pins, repins, comments, logins
-- writes:  merge_shards, shard_progress, table_progress, complete_through, merge_slices, rollup_increments, rollup_generation, people, presence, stale_days, rebuilds, people_daily, people_hourly, repin_minutes, merge_watermarks, merge_progress, stale_rows, rollup_queue, left_rows, staged_repeats, touched_minutes, audit_pins, audit_repins, audit_comments, audit_logins, staging_pins, staging_repins, staging_comments, staging_logins, repins, view_columns
-- params:  none
-- sqlfluff:max_line_length:400

CREATE TABLE IF NOT EXISTS merge_shards (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    shard INT NOT NULL COMMENT 'Part of its events, by the hash of their ids; from 0',
    shards INT NOT NULL COMMENT 'How many parts the table has',
    version BIGINT NOT NULL COMMENT 'Newest lake version that is merged; -1 before the first',
    --singlestore: SHARD KEY (table_name, shard),
    PRIMARY KEY (table_name, shard)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'How far each shard of a table is; moved by compare-and-set only';

CREATE TABLE IF NOT EXISTS shard_progress (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table; or rollups',
    shard INT NOT NULL COMMENT 'As in merge_shards',
    kafka_partition INT NOT NULL COMMENT 'Partition of the topic',
    next_offset BIGINT NOT NULL COMMENT 'First offset that is not merged yet',
    kafka_timestamp DATETIME(6) COMMENT 'Kafka time of the newest merged record, UTC',
    --singlestore: SHARD KEY (table_name, shard, kafka_partition),
    PRIMARY KEY (table_name, shard, kafka_partition)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'What the shards are complete through, per Kafka partition';

-- Created if a run that died had dropped them already, so that the statements below may run twice.
CREATE TABLE IF NOT EXISTS merge_watermarks (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    version BIGINT NOT NULL COMMENT 'Newest lake version that is merged; -1 before the first',
    --singlestore: SHARD KEY (table_name),
    PRIMARY KEY (table_name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'How far each table has come; moved by compare-and-set only';

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

INSERT IGNORE INTO merge_shards (table_name, shard, shards, version)
SELECT
    table_name,
    0 AS shard,
    1 AS shards,
    version
FROM merge_watermarks;

INSERT IGNORE INTO shard_progress (table_name, shard, kafka_partition, next_offset, kafka_timestamp)
SELECT
    table_name,
    0 AS shard,
    kafka_partition,
    next_offset,
    kafka_timestamp
FROM merge_progress;

-- A table is complete through what the slowest of its shards is.
DROP VIEW IF EXISTS table_progress;

CREATE VIEW table_progress AS
SELECT
    progress.table_name,
    progress.kafka_partition,
    MIN(progress.next_offset) AS next_offset,
    MIN(progress.kafka_timestamp) AS kafka_timestamp
FROM shard_progress AS progress
LEFT JOIN (
    SELECT
        table_name,
        COUNT(*) AS shards
    FROM merge_shards
    GROUP BY table_name
) AS known ON progress.table_name = known.table_name
GROUP BY
    progress.table_name,
    progress.kafka_partition
HAVING COUNT(*) >= MAX(COALESCE(known.shards, 1));

DROP VIEW IF EXISTS complete_through;

CREATE VIEW complete_through AS
SELECT
    known.table_name,
    CASE WHEN COUNT(progress.kafka_timestamp) = COUNT(*) THEN MIN(progress.kafka_timestamp) END AS complete_through_utc,
    CASE
        WHEN COUNT(progress.kafka_timestamp) = COUNT(*)
            THEN TIMESTAMPDIFF(SECOND, MIN(progress.kafka_timestamp), UTC_TIMESTAMP(6))
    END AS age_seconds,
    MAX(progress.kafka_timestamp) AS newest_utc
FROM (
    SELECT
        named.table_name,
        part.kafka_partition
    FROM (
        SELECT DISTINCT table_name
        FROM table_progress
    ) AS named
    CROSS JOIN (
        SELECT DISTINCT kafka_partition
        FROM table_progress
    ) AS part
) AS known
LEFT JOIN table_progress AS progress
    ON known.table_name = progress.table_name AND known.kafka_partition = progress.kafka_partition
GROUP BY known.table_name;

DROP TABLE merge_watermarks;

DROP TABLE merge_progress;

-- Only slices that are merged or wait for a person are recorded. A held one is prepared and held again.
--mariadb: ALTER TABLE merge_slices
--mariadb: ADD COLUMN IF NOT EXISTS shard INT NOT NULL DEFAULT 0 COMMENT 'As in merge_shards' AFTER table_name;
--singlestore: ALTER TABLE merge_slices
--singlestore: ADD COLUMN shard INT NOT NULL DEFAULT 0 COMMENT 'As in merge_shards' AFTER table_name;

UPDATE merge_slices
SET state = 'superseded'
WHERE state IN ('staging', 'staged', 'held', 'accepted');

CREATE TABLE IF NOT EXISTS rollup_increments (
    slice_id BIGINT NOT NULL COMMENT 'A merged slice; see merge_slices',
    part INT NOT NULL COMMENT 'Part of its increments, from 0',
    table_name VARCHAR(64) NOT NULL COMMENT 'Its reporting table',
    row_count INT NOT NULL COMMENT 'Rows in it',
    increments LONGBLOB NOT NULL COMMENT 'Arrow stream: what the slice added and took away, a row per event; see pinwheel/core/increments.py',
    merged_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (slice_id, part),
    PRIMARY KEY (slice_id, part)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'What merged slices add to the rollups, until a refresh has taken it in';

CREATE TABLE IF NOT EXISTS rollup_generation (
    name VARCHAR(64) NOT NULL COMMENT 'rollups',
    generation BIGINT NOT NULL COMMENT 'How often the rollups were refreshed; moved by compare-and-set only',
    --singlestore: SHARD KEY (name),
    PRIMARY KEY (name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'One row: lets only one of two concurrent refreshes of the rollups commit';

INSERT IGNORE INTO rollup_generation (name, generation) VALUES ('rollups', 0);

CREATE TABLE IF NOT EXISTS people (
    block INT NOT NULL COMMENT '8192 people each, from 0',
    user_ids MEDIUMBLOB NOT NULL COMMENT 'Their ids, 8 bytes each, little-endian; the place is the person''s number',
    --singlestore: SHARD KEY (block),
    PRIMARY KEY (block)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'A dense number for each person, so that bitmaps of people are small';

CREATE TABLE IF NOT EXISTS presence (
    day DATE NOT NULL COMMENT 'UTC day',
    scope VARCHAR(8) NOT NULL COMMENT 'brand, category or all',
    item VARCHAR(64) NOT NULL COMMENT 'Number of the brand, or the category',
    planes LONGBLOB COMMENT 'Bitmaps: how many rows each person has in the day, its hours and countries; see pinwheel/rollup/presence.py',
    recent MEDIUMBLOB NOT NULL COMMENT 'Changes since the bitmaps were stored, 8 bytes each',
    --singlestore: SHARD KEY (day, scope, item),
    PRIMARY KEY (day, scope, item)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Who was there, exactly; what unique_people is counted from';

CREATE TABLE IF NOT EXISTS stale_days (
    day DATE NOT NULL COMMENT 'UTC day whose rollups are to be made anew from the rows',
    noted_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (day),
    PRIMARY KEY (day)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Days whose rollups the next refreshes make anew';

CREATE TABLE IF NOT EXISTS rebuilds (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table that is made anew from the lake',
    version BIGINT NOT NULL COMMENT 'Lake version that it is read from; kept until it is done',
    part_rows BIGINT NOT NULL COMMENT 'About how many rows a part has',
    parts_done INT NOT NULL COMMENT 'Parts of that version that are in the new table',
    state VARCHAR(16) NOT NULL COMMENT 'loading, then exchanging',
    requested_by VARCHAR(255) NOT NULL COMMENT 'Person or program that asked for it',
    requested_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (table_name),
    PRIMARY KEY (table_name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Reporting tables that are being made anew; the merge of the table does it';

-- People's numbers are new, and the increments of merged slices are not there: every day is made anew from its rows.
INSERT IGNORE INTO stale_days (day)
SELECT DISTINCT DATE(occurred_hour) AS day
FROM pins
UNION
SELECT DISTINCT DATE(occurred_hour) AS day
FROM repins
UNION
SELECT DISTINCT DATE(occurred_hour) AS day
FROM comments
UNION
SELECT DISTINCT DATE(occurred_hour) AS day
FROM logins;

DELETE FROM people_daily;

CREATE TABLE IF NOT EXISTS people_hourly (
    hour DATETIME NOT NULL COMMENT 'Start of the UTC hour',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'Number of the person in people >> 6: which 64 people',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'Bit number & 63 is set when that person has an event in that hour',
    --singlestore: SHARD KEY (hour, chunk),
    PRIMARY KEY (hour, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Who was there in which UTC hour, by an event of any type, a bit per person';

--mariadb: ALTER TABLE people_daily
--mariadb: MODIFY COLUMN chunk BIGINT UNSIGNED NOT NULL COMMENT 'Number of the person in people >> 6: which 64 people';
--mariadb: ALTER TABLE people_daily
--mariadb: MODIFY COLUMN bits BIGINT UNSIGNED NOT NULL COMMENT 'Bit number & 63 is set when that person has an event on that day';

-- The trends start anew: they need 20 minutes of past.
DELETE FROM repin_minutes;

--mariadb: ALTER TABLE repin_minutes
--mariadb: ADD COLUMN IF NOT EXISTS newest_at DATETIME(6) COMMENT 'Time of the newest repin in the minute, UTC; of the kind all only';
--singlestore: ALTER TABLE repin_minutes
--singlestore: ADD COLUMN newest_at DATETIME(6) COMMENT 'Time of the newest repin in the minute, UTC; of the kind all only';

-- Nothing reads it any more: minutes are counted from increments.
--mariadb: DROP INDEX IF EXISTS by_minute ON repins;

DROP VIEW IF EXISTS stale_rows;

DROP TABLE IF EXISTS rollup_queue;

DROP TABLE IF EXISTS left_rows;

DROP TABLE IF EXISTS staged_repeats;

DROP TABLE IF EXISTS touched_minutes;

DROP VIEW IF EXISTS audit_pins;

DROP VIEW IF EXISTS audit_repins;

DROP VIEW IF EXISTS audit_comments;

DROP VIEW IF EXISTS audit_logins;

DROP TABLE IF EXISTS staging_pins;

DROP TABLE IF EXISTS staging_repins;

DROP TABLE IF EXISTS staging_comments;

DROP TABLE IF EXISTS staging_logins;

UPDATE view_columns
SET meaning = 'merged, held until a person decides, accepted by one, or superseded by another try'
WHERE view_name = 'merge_ledger' AND column_name = 'state';

--mariadb: ALTER TABLE merge_slices DROP COLUMN IF EXISTS staged_at;
--singlestore: ALTER TABLE merge_slices DROP COLUMN staged_at;

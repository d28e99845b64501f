-- name:    schema/0021_books
-- purpose: The books: what became of each offset of Kafka and of each row of the lake; and the records that were erased.
-- grain:   erased_records: one row per record; books_offsets: per range of offsets; books_days: per day of a shard; books: per line
-- reads:   nothing
-- writes:  erased_records, books_offsets, books_days, books
-- params:  none
-- sqlfluff:max_line_length:160

CREATE TABLE IF NOT EXISTS erased_records (
    kafka_log VARCHAR(255) NOT NULL COMMENT 'Log that the record was in: topic, cluster and topic id',
    kafka_partition INT NOT NULL COMMENT 'Partition the record came from',
    kafka_offset BIGINT NOT NULL COMMENT 'Offset of the record in its partition',
    event_id VARCHAR(255) COMMENT 'The event, as quarantine has it: in another log, another event has the same place',
    event_type VARCHAR(64) NOT NULL COMMENT 'Its event type in the lake, or dead_letter',
    event_date DATE NOT NULL COMMENT 'Its day in the lake',
    erasure_id VARCHAR(64) NOT NULL COMMENT 'The erasure that it was removed by',
    --singlestore: SHARD KEY (kafka_log, kafka_partition),
    PRIMARY KEY (kafka_log, kafka_partition, kafka_offset)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Records that left the lake on purpose; written before the lake is rewritten';

CREATE TABLE IF NOT EXISTS books_offsets (
    stretch INT NOT NULL COMMENT 'Number of the stretch of offsets that was landed without a break; from 0',
    kafka_partition INT NOT NULL COMMENT 'Partition of the topic',
    first_offset BIGINT NOT NULL COMMENT 'First offset of the closed range',
    end_offset BIGINT NOT NULL COMMENT 'First offset after it',
    kafka_log VARCHAR(255) NOT NULL COMMENT 'Log of the stretch: topic, cluster and topic id',
    landed BIGINT NOT NULL COMMENT 'Events, also those that were erased',
    dead_letters BIGINT NOT NULL COMMENT 'Dead letters at closing, also those that were erased',
    without_record BIGINT NOT NULL COMMENT 'Offsets where Kafka has no committed record: markers, aborted, compacted',
    gaps BIGINT NOT NULL COMMENT 'Offsets that a person let the stream go on without',
    unverified BIGINT NOT NULL COMMENT 'Offsets without a row that Kafka no longer had when they were looked up',
    lost BIGINT NOT NULL COMMENT 'Committed records of Kafka without a row',
    is_blurred TINYINT NOT NULL COMMENT '1 if rows of a later log with the same offsets could not be told apart',
    absent MEDIUMBLOB NOT NULL COMMENT 'Packed JSON list of [from, to): the offsets without a row, but for the erased ones',
    lost_offsets TEXT NOT NULL COMMENT 'JSON list: the first of the lost ones',
    closed_at DATETIME(6) NOT NULL COMMENT 'UTC',
    --singlestore: SHARD KEY (stretch, kafka_partition, first_offset),
    PRIMARY KEY (stretch, kafka_partition, first_offset)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Closed ranges of Kafka offsets, each explained; not read again';

CREATE TABLE IF NOT EXISTS books_days (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table, or dead_letter',
    event_date DATE NOT NULL COMMENT 'Day of the lake',
    shard INT NOT NULL COMMENT 'As in merge_shards',
    shards INT NOT NULL COMMENT 'As in merge_shards',
    day_rows BIGINT NOT NULL COMMENT 'Rows of the day in the lake, of all shards; the day is read again when it differs',
    first_offset BIGINT COMMENT 'Lowest Kafka offset of the day; the day is read again when it differs',
    last_offset BIGINT COMMENT 'Highest Kafka offset of the day; the day is read again when it differs',
    lake_rows BIGINT NOT NULL COMMENT 'Rows of the shard in the lake',
    in_table BIGINT NOT NULL COMMENT 'Of them, in the reporting table',
    quarantined BIGINT NOT NULL COMMENT 'Of them, in quarantine',
    repeated BIGINT NOT NULL COMMENT 'Of them, later deliveries of an event',
    erased BIGINT NOT NULL COMMENT 'Records of the day that were erased before it was closed, of all shards',
    checksum DECIMAL(30, 0) NOT NULL COMMENT 'Sum of the checksums of event id, partition and offset of the rows in the table',
    closed_at DATETIME(6) NOT NULL COMMENT 'UTC',
    --singlestore: SHARD KEY (table_name, event_date, shard),
    PRIMARY KEY (table_name, event_date, shard)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Closed days of the lake, each row explained; not read again while the lake has the same number of rows';

CREATE TABLE IF NOT EXISTS books (
    scope VARCHAR(16) NOT NULL COMMENT 'partition, table, rollups, or all',
    name VARCHAR(255) NOT NULL COMMENT 'Log of the partition, or table',
    number INT NOT NULL COMMENT 'Partition of the topic, or shard',
    counts TEXT NOT NULL COMMENT 'JSON object: what the offsets, rows or hours are explained by',
    differences TEXT NOT NULL COMMENT 'JSON list: what is not explained, in words',
    is_balanced TINYINT NOT NULL COMMENT '1 when there is no difference',
    through_at DATETIME(6) NOT NULL COMMENT 'All that was in the lake at this time is in the books, UTC',
    closed_through DATE COMMENT 'Of the line all: the last day such that it and all before are closed',
    --singlestore: SHARD KEY (scope, name, number),
    PRIMARY KEY (scope, name, number)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'The books as they were last drawn up, by check_quality';

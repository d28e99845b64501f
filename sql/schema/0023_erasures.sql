-- name:    schema/0023_erasures
-- purpose: The erasures of people, without saying whom; and the records whose rows they took out of the lake.
-- grain:   one row per erasure; one row per erased record
-- reads:   nothing
-- writes:  erasures, erased_records
-- params:  none

CREATE TABLE IF NOT EXISTS erasures (
    erasure_id VARCHAR(64) NOT NULL COMMENT 'The erasure',
    person_hash CHAR(64) NOT NULL COMMENT 'Keyed hash of the user id, hex; the id itself is kept nowhere',
    reason VARCHAR(1000) NOT NULL COMMENT 'Why, as the person who asked wrote it',
    requested_by VARCHAR(255) NOT NULL COMMENT 'The person who asked',
    approved_by VARCHAR(255) NOT NULL COMMENT 'The other person, who approved',
    erase_pins TINYINT NOT NULL COMMENT '1 when the texts of the pins that the person made are erased too',
    step VARCHAR(16) NOT NULL COMMENT 'The next: list, lake, merge, database, files, traces, proof; at the end done',
    version BIGINT COMMENT 'Lake version that no longer has the person; null before',
    slice_id BIGINT COMMENT 'Newest merged slice when all tables had passed that version; null before',
    counts MEDIUMTEXT NOT NULL COMMENT 'JSON object: what was erased, by store',
    receipt MEDIUMTEXT COMMENT 'JSON object: the receipt; null until it is done',
    started_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    finished_at DATETIME(6) COMMENT 'When the proof found nothing, UTC; null until then',
    --mariadb: KEY by_person (person_hash),
    --singlestore: SHARD KEY (erasure_id),
    PRIMARY KEY (erasure_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Erasures of people: who asked, who approved, how far, what was erased';

CREATE TABLE IF NOT EXISTS erased_records (
    kafka_log VARCHAR(255) NOT NULL COMMENT 'The log that the record came from',
    kafka_partition INT NOT NULL COMMENT 'Partition of the record',
    kafka_offset BIGINT NOT NULL COMMENT 'Offset of the record in its partition',
    event_type VARCHAR(64) NOT NULL COMMENT 'Event type of the row that is gone',
    event_date DATE NOT NULL COMMENT 'UTC day of the row that is gone',
    erasure_id VARCHAR(64) NOT NULL COMMENT 'The erasure; see erasures',
    --singlestore: SHARD KEY (kafka_log, kafka_partition, kafka_offset),
    PRIMARY KEY (kafka_log, kafka_partition, kafka_offset)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Records that landed and whose rows were erased: why their offsets are missing in the lake';

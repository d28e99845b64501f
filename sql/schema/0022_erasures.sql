-- name:    schema/0022_erasures
-- purpose: The erasures of people, without saying whom. The records whose rows left the lake are in erased_records.
-- grain:   one row per erasure
-- reads:   nothing
-- writes:  erasures
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

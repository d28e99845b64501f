-- name:    merge/work_tables
-- purpose: Create empty work tables of this connection, for one merge.
-- grain:   one row per event_id
-- reads:   nothing
-- writes:  asked_ids, gone_ids
-- params:  none
DROP TEMPORARY TABLE IF EXISTS asked_ids;

CREATE TEMPORARY TABLE asked_ids (
    event_id VARCHAR(64) NOT NULL COMMENT 'An event of the slice that may be in the table already',
    PRIMARY KEY (event_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS gone_ids;

CREATE TEMPORARY TABLE gone_ids (
    event_id VARCHAR(64) NOT NULL COMMENT 'An event whose row leaves the table, or changes',
    kafka_partition INT NOT NULL COMMENT 'Partition of the delivery that is in the table',
    kafka_offset BIGINT NOT NULL COMMENT 'Offset of the delivery that is in the table',
    PRIMARY KEY (event_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

-- name:    merge/work_tables
-- purpose: Create an empty work table of this connection, for one merge.
-- grain:   one row per delivery of the slice that is not a plain insert
-- reads:   nothing
-- writes:  merge_plan
-- params:  none
DROP TEMPORARY TABLE IF EXISTS merge_plan;

CREATE TEMPORARY TABLE merge_plan (
    row_num BIGINT NOT NULL COMMENT 'Row of the slice',
    event_id VARCHAR(64) NOT NULL COMMENT 'The event',
    action VARCHAR(8) NOT NULL COMMENT 'update, delete, spare or ignore',
    PRIMARY KEY (row_num)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

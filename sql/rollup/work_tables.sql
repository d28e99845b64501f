-- name:    rollup/work_tables
-- purpose: Create empty work tables of this connection, for one refresh of the rollups.
-- grain:   one row per key of each table
-- reads:   nothing
-- writes:  touched_firsts, touched_logins
-- params:  none
DROP TEMPORARY TABLE IF EXISTS touched_firsts;

CREATE TEMPORARY TABLE touched_firsts (
    pin_id BIGINT NOT NULL COMMENT 'Bucket of pin_firsts',
    PRIMARY KEY (pin_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS touched_logins;

CREATE TEMPORARY TABLE touched_logins (
    user_id BIGINT NOT NULL COMMENT 'Bucket of person_homes',
    PRIMARY KEY (user_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

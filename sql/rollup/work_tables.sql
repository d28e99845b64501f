-- name:    rollup/work_tables
-- purpose: Create empty work tables of this connection, for one refresh of the rollups.
-- grain:   one row per key of each table
-- reads:   nothing
-- writes:  came_people_daily, came_people_hourly, left_people_daily, left_people_hourly, added_minutes, touched_firsts, touched_logins
-- params:  none
DROP TEMPORARY TABLE IF EXISTS came_people_daily;

CREATE TEMPORARY TABLE came_people_daily (
    day DATE NOT NULL COMMENT 'Bucket of people_daily',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'Bucket of people_daily',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'People who had no row there before',
    PRIMARY KEY (day, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS came_people_hourly;

CREATE TEMPORARY TABLE came_people_hourly (
    hour DATETIME NOT NULL COMMENT 'Bucket of people_hourly',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'Bucket of people_hourly',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'People who had no row there before',
    PRIMARY KEY (hour, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS left_people_daily;

CREATE TEMPORARY TABLE left_people_daily (
    day DATE NOT NULL COMMENT 'Bucket of people_daily',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'Bucket of people_daily',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'People who have no row there any more',
    PRIMARY KEY (day, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS left_people_hourly;

CREATE TEMPORARY TABLE left_people_hourly (
    hour DATETIME NOT NULL COMMENT 'Bucket of people_hourly',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'Bucket of people_hourly',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'People who have no row there any more',
    PRIMARY KEY (hour, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS added_minutes;

CREATE TEMPORARY TABLE added_minutes (
    minute DATETIME NOT NULL COMMENT 'Bucket of repin_minutes',
    kind VARCHAR(8) NOT NULL COMMENT 'Bucket of repin_minutes',
    item VARCHAR(64) NOT NULL COMMENT 'Bucket of repin_minutes',
    repins BIGINT NOT NULL COMMENT 'To add, count',
    newest_at DATETIME(6) COMMENT 'As in repin_minutes',
    PRIMARY KEY (minute, kind, item)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

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

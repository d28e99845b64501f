-- name:    rollup/work_tables
-- purpose: Create empty work tables of this connection, for one recomputation of the rollups.
-- grain:   rolled_slices: one row per slice; touched_*: per rollup bucket, or per person
-- reads:   nothing
-- writes:  rolled_slices, touched_brand_hours, touched_brand_days, touched_category_hours, touched_pin_hours, touched_country_hours, touched_firsts, touched_people, touched_logins, left_hours, left_bits
-- params:  none
DROP TEMPORARY TABLE IF EXISTS rolled_slices;

CREATE TEMPORARY TABLE rolled_slices (
    slice_id BIGINT NOT NULL COMMENT 'A slice of rollup_queue',
    table_name VARCHAR(64) NOT NULL COMMENT 'Its reporting table',
    PRIMARY KEY (slice_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS touched_brand_hours;

CREATE TEMPORARY TABLE touched_brand_hours (
    brand_id BIGINT NOT NULL COMMENT 'Bucket of brand_hourly',
    hour DATETIME(6) NOT NULL COMMENT 'Bucket of brand_hourly',
    PRIMARY KEY (brand_id, hour)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS touched_brand_days;

CREATE TEMPORARY TABLE touched_brand_days (
    brand_id BIGINT NOT NULL COMMENT 'Bucket of brand_daily',
    day DATE NOT NULL COMMENT 'Bucket of brand_daily',
    PRIMARY KEY (brand_id, day)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS touched_category_hours;

CREATE TEMPORARY TABLE touched_category_hours (
    category VARCHAR(64) COMMENT 'Bucket of category_hourly; null for (none)',
    hour DATETIME(6) NOT NULL COMMENT 'Bucket of category_hourly'
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS touched_pin_hours;

CREATE TEMPORARY TABLE touched_pin_hours (
    pin_id BIGINT NOT NULL COMMENT 'Bucket of pin_hourly',
    hour DATETIME(6) NOT NULL COMMENT 'Bucket of pin_hourly',
    PRIMARY KEY (hour, pin_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS touched_country_hours;

CREATE TEMPORARY TABLE touched_country_hours (
    country_code VARCHAR(2) COMMENT 'Bucket of country_hourly; null for ZZ',
    hour DATETIME(6) NOT NULL COMMENT 'Bucket of country_hourly'
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

DROP TEMPORARY TABLE IF EXISTS touched_people;

CREATE TEMPORARY TABLE touched_people (
    day DATE NOT NULL COMMENT 'Day of people_daily',
    user_id BIGINT NOT NULL COMMENT 'The person whose bit it is',
    is_seen TINYINT NOT NULL COMMENT '1: has a row on that day; 0: a row left, and others must be searched for',
    PRIMARY KEY (day, user_id)
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

DROP TEMPORARY TABLE IF EXISTS left_hours;

CREATE TEMPORARY TABLE left_hours (
    hour DATETIME(6) NOT NULL COMMENT 'Hour of a day on which a person may have no row left',
    PRIMARY KEY (hour)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

DROP TEMPORARY TABLE IF EXISTS left_bits;

CREATE TEMPORARY TABLE left_bits (
    day DATE NOT NULL COMMENT 'Bucket of people_daily',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'Bucket of people_daily',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'People who have no row there any more',
    PRIMARY KEY (day, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

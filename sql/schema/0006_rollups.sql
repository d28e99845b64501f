-- name:    schema/0006_rollups
-- purpose: Engagement per brand and per category, recomputed from the event tables at each merge.
-- grain:   one row per key of each table
-- reads:   nothing
-- writes:  brands, brand_hourly, brand_daily, brand_country_daily, category_hourly
-- params:  none

CREATE TABLE IF NOT EXISTS brands (
    brand_id BIGINT NOT NULL COMMENT 'The brand',
    name VARCHAR(255) NOT NULL COMMENT 'Name as shown in reports',
    contact VARCHAR(255) COMMENT 'Who gets the brand''s report',
    --singlestore: SHARD KEY (brand_id),
    PRIMARY KEY (brand_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'One row per known brand; an unknown one is shown by its number';

CREATE TABLE IF NOT EXISTS brand_hourly (
    brand_id BIGINT NOT NULL COMMENT 'The brand; its name is in brands',
    hour DATETIME NOT NULL COMMENT 'Start of the UTC hour',
    pins BIGINT NOT NULL COMMENT 'Pin events, count',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    comments BIGINT NOT NULL COMMENT 'Comment events, count',
    unique_people BIGINT NOT NULL COMMENT 'Different user_id over the three, count',
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the bucket was last recomputed, UTC',
    --singlestore: SHARD KEY (brand_id, hour),
    PRIMARY KEY (brand_id, hour)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Engagement with the pins of a brand, per UTC hour of the event';

CREATE TABLE IF NOT EXISTS brand_daily (
    brand_id BIGINT NOT NULL COMMENT 'The brand; its name is in brands',
    day DATE NOT NULL COMMENT 'UTC day',
    pins BIGINT NOT NULL COMMENT 'Pin events, count',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    comments BIGINT NOT NULL COMMENT 'Comment events, count',
    unique_people BIGINT NOT NULL COMMENT 'Different user_id over the three, count',
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the bucket was last recomputed, UTC',
    --singlestore: SHARD KEY (brand_id, day),
    PRIMARY KEY (brand_id, day)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Engagement with the pins of a brand, per UTC day of the event';

CREATE TABLE IF NOT EXISTS brand_country_daily (
    brand_id BIGINT NOT NULL COMMENT 'The brand; its name is in brands',
    country_code VARCHAR(2) NOT NULL COMMENT 'ISO 3166-1 alpha-2 code of where it happened; ZZ when unknown',
    day DATE NOT NULL COMMENT 'UTC day',
    pins BIGINT NOT NULL COMMENT 'Pin events, count',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    comments BIGINT NOT NULL COMMENT 'Comment events, count',
    unique_people BIGINT NOT NULL COMMENT 'Different user_id over the three, count',
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the bucket was last recomputed, UTC',
    --singlestore: SHARD KEY (brand_id, country_code, day),
    PRIMARY KEY (brand_id, country_code, day)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Engagement with the pins of a brand, per country and UTC day';

CREATE TABLE IF NOT EXISTS category_hourly (
    category VARCHAR(64) NOT NULL COMMENT 'Category of the pin; (none) when it has none or is not known yet',
    hour DATETIME NOT NULL COMMENT 'Start of the UTC hour',
    pins BIGINT NOT NULL COMMENT 'Pin events, count',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    comments BIGINT NOT NULL COMMENT 'Comment events, count',
    unique_people BIGINT NOT NULL COMMENT 'Different user_id over the three, count',
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the bucket was last recomputed, UTC',
    --singlestore: SHARD KEY (category, hour),
    PRIMARY KEY (category, hour)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Engagement per pin category and UTC hour';

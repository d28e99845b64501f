-- name:    quality/stale_rows
-- purpose: Create an empty work table of this connection, for rows whose buckets in the rollups are not right yet.
-- grain:   one row per queued increment
-- reads:   nothing
-- writes:  stale_rows
-- params:  none
DROP TEMPORARY TABLE IF EXISTS stale_rows;

CREATE TEMPORARY TABLE stale_rows (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    occurred_hour DATETIME(6) NOT NULL COMMENT 'As in the reporting table, as are the others',
    user_id BIGINT NOT NULL COMMENT 'The person who acted',
    pin_id BIGINT COMMENT 'The pin that was acted on; null for logins',
    brand_id BIGINT COMMENT 'The brand the pin belongs to',
    category VARCHAR(64) COMMENT 'Category of the pin',
    country_code VARCHAR(2) COMMENT 'ISO 3166-1 alpha-2 code of the country'
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
;

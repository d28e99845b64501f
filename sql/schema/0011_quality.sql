-- name:    schema/0011_quality
-- purpose: What the quality checks remember: the profile of each hour, and the verdict of each expectation.
-- grain:   dq_profiles: one row per table, hour and measure; dq_results: one row per table, hour and expectation
-- reads:   pins, repins, comments, logins
-- writes:  dq_profiles, dq_results, checked_pins, checked_repins, checked_comments, checked_logins
-- params:  none

CREATE TABLE IF NOT EXISTS dq_profiles (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table',
    occurred_hour DATETIME NOT NULL COMMENT 'Start of the UTC hour that was looked at',
    measure VARCHAR(64) NOT NULL COMMENT 'What was measured, e.g. null_share_category',
    value DOUBLE COMMENT 'What was found; null where it could not be said',
    shares MEDIUMTEXT COMMENT 'JSON object, of a column with few values: value to share of the rows',
    --singlestore: SHARD KEY (table_name, occurred_hour),
    PRIMARY KEY (table_name, occurred_hour, measure)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Each hour of each table in numbers, by check_quality; what the next hours are compared with';

CREATE TABLE IF NOT EXISTS dq_results (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table, or rollups',
    occurred_hour DATETIME NOT NULL COMMENT 'Start of the UTC hour that was checked',
    measure VARCHAR(64) NOT NULL COMMENT 'What was measured; see dq_profiles',
    expectation VARCHAR(128) NOT NULL COMMENT 'Great Expectations name of the expectation',
    severity VARCHAR(16) NOT NULL COMMENT 'critical or warning',
    is_met TINYINT NOT NULL COMMENT '1 when the expectation was met',
    observed TEXT COMMENT 'What was found',
    expected TEXT COMMENT 'What was expected, and why',
    sample MEDIUMTEXT COMMENT 'JSON list: a few rows at fault, where single rows can be blamed',
    checked_at DATETIME(6) NOT NULL COMMENT 'When it was checked last, UTC',
    --mariadb: KEY by_verdict (is_met, checked_at),
    --singlestore: SHARD KEY (table_name, occurred_hour),
    PRIMARY KEY (table_name, occurred_hour, measure, expectation)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'The newest verdict of each quality expectation on each hour, by check_quality';

-- What the lake says of the same rows must give the same checksum; see pinwheel/quality/profile.py.
DROP VIEW IF EXISTS checked_pins;

CREATE VIEW checked_pins AS
SELECT
    event_id,
    occurred_hour,
    CAST(
        CONV(
            LEFT(
                MD5(
                    CONCAT_WS(
                        '|',
                        COALESCE(event_id, '~'),
                        COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at), '~'),
                        COALESCE(user_id, '~'),
                        COALESCE(pin_id, '~'),
                        COALESCE(pin_creator_id, '~'),
                        COALESCE(pin_board_id, '~'),
                        COALESCE(brand_id, '~'),
                        COALESCE(category, '~'),
                        COALESCE(title, '~'),
                        COALESCE(description, '~'),
                        COALESCE(link, '~'),
                        COALESCE(image_url, '~'),
                        COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', pin_created_at), '~'),
                        COALESCE(country_code, '~'),
                        COALESCE(region, '~'),
                        COALESCE(city, '~'),
                        COALESCE(CAST(FLOOR(latitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(CAST(FLOOR(longitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(ip_network, '~'),
                        COALESCE(geo_version, '~')
                    )
                ),
                8
            ),
            16,
            10
        ) AS UNSIGNED
    ) AS checksum
FROM pins;

DROP VIEW IF EXISTS checked_repins;

CREATE VIEW checked_repins AS
SELECT
    event_id,
    occurred_hour,
    CAST(
        CONV(
            LEFT(
                MD5(
                    CONCAT_WS(
                        '|',
                        COALESCE(event_id, '~'),
                        COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at), '~'),
                        COALESCE(user_id, '~'),
                        COALESCE(pin_id, '~'),
                        COALESCE(board_id, '~'),
                        COALESCE(pin_creator_id, '~'),
                        COALESCE(brand_id, '~'),
                        COALESCE(category, '~'),
                        COALESCE(pin_status, '~'),
                        COALESCE(country_code, '~'),
                        COALESCE(region, '~'),
                        COALESCE(city, '~'),
                        COALESCE(CAST(FLOOR(latitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(CAST(FLOOR(longitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(ip_network, '~'),
                        COALESCE(geo_version, '~')
                    )
                ),
                8
            ),
            16,
            10
        ) AS UNSIGNED
    ) AS checksum
FROM repins;

DROP VIEW IF EXISTS checked_comments;

CREATE VIEW checked_comments AS
SELECT
    event_id,
    occurred_hour,
    CAST(
        CONV(
            LEFT(
                MD5(
                    CONCAT_WS(
                        '|',
                        COALESCE(event_id, '~'),
                        COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at), '~'),
                        COALESCE(user_id, '~'),
                        COALESCE(pin_id, '~'),
                        COALESCE(text, '~'),
                        COALESCE(pin_creator_id, '~'),
                        COALESCE(brand_id, '~'),
                        COALESCE(category, '~'),
                        COALESCE(pin_status, '~'),
                        COALESCE(country_code, '~'),
                        COALESCE(region, '~'),
                        COALESCE(city, '~'),
                        COALESCE(CAST(FLOOR(latitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(CAST(FLOOR(longitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(ip_network, '~'),
                        COALESCE(geo_version, '~')
                    )
                ),
                8
            ),
            16,
            10
        ) AS UNSIGNED
    ) AS checksum
FROM comments;

DROP VIEW IF EXISTS checked_logins;

CREATE VIEW checked_logins AS
SELECT
    event_id,
    occurred_hour,
    CAST(
        CONV(
            LEFT(
                MD5(
                    CONCAT_WS(
                        '|',
                        COALESCE(event_id, '~'),
                        COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', occurred_at), '~'),
                        COALESCE(user_id, '~'),
                        COALESCE(client, '~'),
                        COALESCE(country_code, '~'),
                        COALESCE(region, '~'),
                        COALESCE(city, '~'),
                        COALESCE(CAST(FLOOR(latitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(CAST(FLOOR(longitude * 10000 + 0.5) AS SIGNED), '~'),
                        COALESCE(ip_network, '~'),
                        COALESCE(geo_version, '~')
                    )
                ),
                8
            ),
            16,
            10
        ) AS UNSIGNED
    ) AS checksum
FROM logins;

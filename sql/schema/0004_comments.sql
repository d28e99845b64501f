-- name:    schema/0004_comments
-- purpose: Comment events, and where a slice of them waits before it is merged.
-- grain:   comments: one row per event_id; staging_comments: one row per staged change; audit_comments: per staged upsert
-- reads:   staging_comments
-- writes:  comments, staging_comments, audit_comments
-- params:  none

-- The key compares bytes without padding: 'a' and 'a ' are two events.
CREATE TABLE IF NOT EXISTS comments (
    event_id VARCHAR(64) NOT NULL COMMENT 'Unique per event; a redelivery repeats it',
    occurred_at DATETIME(6) NOT NULL COMMENT 'Event time, UTC',
    occurred_hour DATETIME(6) NOT NULL COMMENT 'Start of the UTC hour of occurred_at; what rollups group by',
    user_id BIGINT NOT NULL COMMENT 'The person who acted',
    pin_id BIGINT COMMENT 'The pin that was acted on',
    text VARCHAR(5000) COMMENT 'The comment as written',
    pin_creator_id BIGINT COMMENT 'The person who made the pin',
    brand_id BIGINT COMMENT 'The brand the pin belongs to',
    category VARCHAR(64) COMMENT 'Category of the pin, e.g. travel',
    pin_status VARCHAR(16) COMMENT 'How the row got its pin; see PinStatus; null for logins',
    country_code VARCHAR(2) COMMENT 'ISO 3166-1 alpha-2 code of the country; null when unknown',
    region VARCHAR(255) COMMENT 'First-level region, in English',
    city VARCHAR(255) COMMENT 'City, in English',
    latitude DOUBLE COMMENT 'Degrees north, WGS 84',
    longitude DOUBLE COMMENT 'Degrees east, WGS 84',
    ip_network VARCHAR(64) COMMENT 'The address cut to its /24 (IPv4) or /48 (IPv6) network',
    geo_version VARCHAR(64) COMMENT 'Build of the location database that was asked',
    kafka_partition INT NOT NULL COMMENT 'Partition the record came from',
    kafka_offset BIGINT NOT NULL COMMENT 'Offset of the record in its partition',
    kafka_timestamp DATETIME(6) NOT NULL COMMENT 'When Kafka received the record, UTC',
    --mariadb: KEY by_brand_hour (brand_id, occurred_hour, country_code, user_id),
    --mariadb: KEY by_category_hour (category, occurred_hour, user_id),
    --singlestore: SHARD KEY (event_id),
    --singlestore: SORT KEY (occurred_hour),
    PRIMARY KEY (event_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'One row per comment event, first delivery; merged from the lake';

-- Wide types and no NOT NULL: a value that a reporting column would refuse must reach the audit.
CREATE TABLE IF NOT EXISTS staging_comments (
    slice_id BIGINT NOT NULL COMMENT 'The attempt that staged the row; see merge_slices',
    row_num BIGINT NOT NULL COMMENT 'Number of the row in its slice, from 0',
    change_version BIGINT COMMENT 'Lake version that made the change',
    change_type VARCHAR(255) COMMENT 'upsert or delete',
    event_id VARCHAR(255) COMMENT 'Unique per event; a redelivery repeats it',
    occurred_at DATETIME(6) COMMENT 'Event time, UTC',
    occurred_hour DATETIME(6) COMMENT 'Start of the UTC hour of occurred_at; what rollups group by',
    user_id BIGINT COMMENT 'The person who acted',
    pin_id BIGINT COMMENT 'The pin that was acted on',
    text MEDIUMTEXT COMMENT 'The comment as written',
    pin_creator_id BIGINT COMMENT 'The person who made the pin',
    brand_id BIGINT COMMENT 'The brand the pin belongs to',
    category VARCHAR(255) COMMENT 'Category of the pin, e.g. travel',
    pin_status VARCHAR(255) COMMENT 'How the row got its pin; see PinStatus; null for logins',
    country_code VARCHAR(255) COMMENT 'ISO 3166-1 alpha-2 code of the country; null when unknown',
    region VARCHAR(1000) COMMENT 'First-level region, in English',
    city VARCHAR(1000) COMMENT 'City, in English',
    latitude DOUBLE COMMENT 'Degrees north, WGS 84',
    longitude DOUBLE COMMENT 'Degrees east, WGS 84',
    ip_network VARCHAR(255) COMMENT 'The address cut to its /24 (IPv4) or /48 (IPv6) network',
    geo_version VARCHAR(255) COMMENT 'Build of the location database that was asked',
    kafka_partition INT COMMENT 'Partition the record came from',
    kafka_offset BIGINT COMMENT 'Offset of the record in its partition',
    kafka_timestamp DATETIME(6) COMMENT 'When Kafka received the record, UTC',
    --singlestore: SHARD KEY (slice_id, row_num),
    PRIMARY KEY (slice_id, row_num)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Changes of comments on their way from the lake; emptied after the merge';

-- What the gate looks at. Deletes are left out: an erasure must never be kept in quarantine.
DROP VIEW IF EXISTS audit_comments;

CREATE VIEW audit_comments AS
SELECT
    staged.*,
    TIMESTAMPDIFF(SECOND, staged.kafka_timestamp, staged.occurred_at) AS seconds_after_kafka
FROM staging_comments AS staged
WHERE staged.change_type = 'upsert';

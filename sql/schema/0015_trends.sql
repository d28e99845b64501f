-- name:    schema/0015_trends
-- purpose: Repins by minute, what is trending, which minutes a merge has changed; and what the quality page looks up by time.
-- grain:   one row per key of each table
-- reads:   view_columns, brands, pin_cache
-- writes:  repins, merge_slices, quarantine, merge_locks, repin_minutes, touched_minutes, trends, trending, view_columns
-- params:  none
-- sqlfluff:max_line_length:200

-- All that a minute's recount reads; new rows go to its end.
--mariadb: CREATE INDEX IF NOT EXISTS by_minute
--mariadb: ON repins (occurred_at, pin_id, brand_id, category, country_code);

--mariadb: CREATE INDEX IF NOT EXISTS by_merged ON merge_slices (merged_at, table_name, rows_read, quarantined);
--mariadb: CREATE INDEX IF NOT EXISTS by_time ON quarantine (quarantined_at);

INSERT IGNORE INTO merge_locks (name) VALUES ('trends');

CREATE TABLE IF NOT EXISTS repin_minutes (
    minute DATETIME NOT NULL COMMENT 'Start of the UTC minute of the event',
    kind VARCHAR(8) NOT NULL COMMENT 'pin, category, brand or country; all: every repin',
    item VARCHAR(64) NOT NULL COMMENT 'Number of the pin or brand, the category ((none): not known), or ISO country code (ZZ: not known)',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    --mariadb: KEY by_item (kind, item, minute, repins),
    --singlestore: SHARD KEY (kind, item),
    PRIMARY KEY (minute, kind, item)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Repins of the last 90 minutes by minute; older minutes are dropped';

-- A merge only notes here: a minute that many merges touch is recounted once a refresh, not once a merge.
CREATE TABLE IF NOT EXISTS touched_minutes (
    slice_id BIGINT NOT NULL COMMENT 'The merge that changed it; see merge_slices',
    minute DATETIME NOT NULL COMMENT 'Minute of repin_minutes to recount, UTC',
    --singlestore: SHARD KEY (slice_id, minute),
    PRIMARY KEY (slice_id, minute)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Minutes whose repins have changed since they were counted';

CREATE TABLE IF NOT EXISTS trends (
    kind VARCHAR(8) NOT NULL COMMENT 'pin, category, brand or country',
    item VARCHAR(64) NOT NULL COMMENT 'As in repin_minutes',
    since DATETIME NOT NULL COMMENT 'The minute from which the rise is least likely to be chance, UTC',
    as_of DATETIME(6) NOT NULL COMMENT 'Newest repin that was counted, UTC',
    repins BIGINT NOT NULL COMMENT 'Repins from since to as_of, count',
    per_minute DOUBLE NOT NULL COMMENT 'Repins a minute from since to as_of',
    usual_per_minute DOUBLE NOT NULL COMMENT 'Repins a minute before since, weighted: half as much with every 20 minutes back',
    growth_elsewhere DOUBLE NOT NULL COMMENT 'By how much all other repins have grown since, a factor, at least 1: the rise that is nobody''s own',
    chance_log10 DOUBLE NOT NULL COMMENT 'At most 10 to this power: the chance of such a rise if nothing had changed; see docs/sql.md',
    --singlestore: SHARD KEY (kind, item),
    PRIMARY KEY (kind, item)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'What is rising now against its own recent past; made anew at each refresh';

-- Every minute of the last 90 minutes is counted at the first refresh; slice 0: by no merge.
INSERT IGNORE INTO touched_minutes (slice_id, minute)
SELECT DISTINCT
    0 AS slice_id,
    event.occurred_hour + INTERVAL MINUTE(event.occurred_at) MINUTE AS minute
FROM repins AS event
INNER JOIN (
    SELECT MAX(kafka_timestamp) AS newest
    FROM repins
) AS merged ON event.occurred_at > merged.newest - INTERVAL 90 MINUTE;

-- What is trending, with names.
DROP VIEW IF EXISTS trending;

CREATE VIEW trending AS
SELECT
    trend.kind,
    trend.item,
    CASE trend.kind
        WHEN 'pin' THEN pin.title
        WHEN 'brand' THEN COALESCE(brand.name, CONCAT('brand ', trend.item))
        ELSE trend.item
    END AS name,
    CASE trend.kind
        WHEN 'pin' THEN pin.brand_id
        WHEN 'brand' THEN CAST(trend.item AS SIGNED)
    END AS brand_id,
    trend.since AS since_utc,
    trend.as_of AS as_of_utc,
    trend.repins,
    trend.per_minute,
    trend.usual_per_minute,
    CASE WHEN trend.usual_per_minute > 0 THEN trend.per_minute / trend.usual_per_minute END AS times_usual,
    trend.chance_log10
FROM trends AS trend
LEFT JOIN pin_cache AS pin ON trend.kind = 'pin' AND CAST(trend.item AS SIGNED) = pin.pin_id
LEFT JOIN brands AS brand ON trend.kind = 'brand' AND CAST(trend.item AS SIGNED) = brand.brand_id;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('trending', 'kind', 'pin, category, brand or country'),
('trending', 'item', 'Number of the pin or brand, category, or ISO country code'),
('trending', 'name', 'Title of the pin or name of the brand; null for a pin that is not known'),
('trending', 'brand_id', 'The brand, or that of the pin; null for others'),
('trending', 'since_utc', 'The minute from which the rise is least likely to be chance'),
('trending', 'as_of_utc', 'Newest repin that was counted'),
('trending', 'repins', 'Repins in that time, count'),
('trending', 'per_minute', 'Repins a minute in that time'),
('trending', 'usual_per_minute', 'Repins a minute before it, the last minutes counting most'),
('trending', 'times_usual', 'The size of the rise: per_minute / usual_per_minute; null when there were none before'),
('trending', 'chance_log10', 'At most 10 to this power: the chance of such a rise if nothing had changed');

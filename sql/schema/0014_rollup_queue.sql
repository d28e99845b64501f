-- name:    schema/0014_rollup_queue
-- purpose: Rollups are recomputed for several slices at once, after their merges: what waits for that.
-- grain:   rollup_queue: one row per slice; left_rows: per slice and event; staged_repeats: per staged row
-- reads:   rollup_queue, left_rows, staging_pins, staging_repins, staging_comments, staging_logins
-- writes:  rollup_queue, left_rows, staged_repeats, stale_rows, merge_slices, view_columns
-- params:  none
CREATE TABLE IF NOT EXISTS rollup_queue (
    slice_id BIGINT NOT NULL COMMENT 'A merged slice; its rows stay in staging until the rollups have taken them in',
    table_name VARCHAR(64) NOT NULL COMMENT 'Its reporting table',
    merged_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (slice_id),
    PRIMARY KEY (slice_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Merged slices whose rollup buckets are still to be recomputed';

CREATE TABLE IF NOT EXISTS left_rows (
    slice_id BIGINT NOT NULL COMMENT 'The slice that changed the row or took it away',
    event_id VARCHAR(64) NOT NULL COMMENT 'The event',
    occurred_hour DATETIME(6) NOT NULL COMMENT 'As it was, as are the others',
    user_id BIGINT NOT NULL COMMENT 'The person who acted',
    pin_id BIGINT COMMENT 'The pin that was acted on; null for logins',
    brand_id BIGINT COMMENT 'The brand the pin belonged to',
    category VARCHAR(64) COMMENT 'Category of the pin',
    country_code VARCHAR(2) COMMENT 'ISO 3166-1 alpha-2 code of the country',
    --singlestore: SHARD KEY (slice_id),
    PRIMARY KEY (slice_id, event_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Changed and erased rows as they were: their old buckets are to be recomputed too';

CREATE TABLE IF NOT EXISTS staged_repeats (
    slice_id BIGINT NOT NULL COMMENT 'The slice',
    row_num BIGINT NOT NULL COMMENT 'A row whose event_id is in the slice more than once',
    --singlestore: SHARD KEY (slice_id, row_num),
    PRIMARY KEY (slice_id, row_num)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Staged rows among which the merge has to choose; all others stand alone';

-- Rows whose buckets in the rollups are not right yet. Of a merged slice staging keeps just the rows that are in the
-- reporting table as it staged them.
DROP VIEW IF EXISTS stale_rows;

CREATE VIEW stale_rows AS
SELECT
    queue.slice_id,
    'pins' AS table_name,
    row_as_merged.occurred_hour,
    row_as_merged.user_id,
    row_as_merged.pin_id,
    row_as_merged.brand_id,
    row_as_merged.category,
    row_as_merged.country_code,
    0 AS is_left
FROM rollup_queue AS queue
INNER JOIN staging_pins AS row_as_merged ON queue.slice_id = row_as_merged.slice_id
WHERE queue.table_name = 'pins'
UNION ALL
SELECT
    queue.slice_id,
    'repins' AS table_name,
    row_as_merged.occurred_hour,
    row_as_merged.user_id,
    row_as_merged.pin_id,
    row_as_merged.brand_id,
    row_as_merged.category,
    row_as_merged.country_code,
    0 AS is_left
FROM rollup_queue AS queue
INNER JOIN staging_repins AS row_as_merged ON queue.slice_id = row_as_merged.slice_id
WHERE queue.table_name = 'repins'
UNION ALL
SELECT
    queue.slice_id,
    'comments' AS table_name,
    row_as_merged.occurred_hour,
    row_as_merged.user_id,
    row_as_merged.pin_id,
    row_as_merged.brand_id,
    row_as_merged.category,
    row_as_merged.country_code,
    0 AS is_left
FROM rollup_queue AS queue
INNER JOIN staging_comments AS row_as_merged ON queue.slice_id = row_as_merged.slice_id
WHERE queue.table_name = 'comments'
UNION ALL
SELECT
    queue.slice_id,
    'logins' AS table_name,
    row_as_merged.occurred_hour,
    row_as_merged.user_id,
    NULL AS pin_id,
    NULL AS brand_id,
    NULL AS category,
    row_as_merged.country_code,
    0 AS is_left
FROM rollup_queue AS queue
INNER JOIN staging_logins AS row_as_merged ON queue.slice_id = row_as_merged.slice_id
WHERE queue.table_name = 'logins'
UNION ALL
SELECT
    queue.slice_id,
    queue.table_name,
    was.occurred_hour,
    was.user_id,
    was.pin_id,
    was.brand_id,
    was.category,
    was.country_code,
    1 AS is_left
FROM rollup_queue AS queue
INNER JOIN left_rows AS was ON queue.slice_id = was.slice_id;

-- Slices that were staged without their repeats being noted are staged anew; held ones are held again.
UPDATE merge_slices
SET state = 'superseded'
WHERE state IN ('staging', 'staged', 'held', 'accepted');

UPDATE view_columns
SET meaning = 'The event table; or rollups, all of them together'
WHERE view_name = 'complete_through' AND column_name = 'table_name';

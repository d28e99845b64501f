-- name:    schema/0013_report_views
-- purpose: What analysts read: views with plain names, and what each of their columns means.
-- grain:   one row per key of each view
-- reads:   pins, repins, comments, logins, brands, brand_hourly, brand_daily, brand_country_daily, category_hourly, country_hourly, pin_hourly, pin_cache, pin_firsts, people_daily, person_homes, merge_progress, merge_slices, view_columns, columns
-- writes:  view_columns, engagement, brand_engagement_hourly, brand_engagement_daily, brand_country_engagement_daily, category_engagement_hourly, country_engagement_hourly, pin_engagement_hourly, pin_first_repins, people_daily_counts, people_homes, complete_through, merge_ledger, data_dictionary
-- params:  none
-- sqlfluff:max_line_length:340

-- A view's columns can not have a COMMENT: their meanings are here, and nowhere else.
CREATE TABLE IF NOT EXISTS view_columns (
    view_name VARCHAR(64) NOT NULL COMMENT 'View for analysts',
    column_name VARCHAR(64) NOT NULL COMMENT 'Its column',
    meaning VARCHAR(500) NOT NULL COMMENT 'What the column says, and its unit',
    --singlestore: SHARD KEY (view_name, column_name),
    PRIMARY KEY (view_name, column_name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'What the columns of the views mean; read it in data_dictionary';

-- Every event, first delivery, one row each.
DROP VIEW IF EXISTS engagement;

CREATE VIEW engagement AS
SELECT
    event.event_id,
    'pin' AS event_type,
    event.occurred_at AS occurred_at_utc,
    event.user_id,
    event.pin_id,
    event.brand_id,
    CASE WHEN event.brand_id IS NOT NULL THEN COALESCE(brand.name, CONCAT('brand ', event.brand_id)) END AS brand_name,
    event.category,
    event.country_code,
    event.city
FROM pins AS event
LEFT JOIN brands AS brand ON event.brand_id = brand.brand_id
UNION ALL
SELECT
    event.event_id,
    'repin' AS event_type,
    event.occurred_at AS occurred_at_utc,
    event.user_id,
    event.pin_id,
    event.brand_id,
    CASE WHEN event.brand_id IS NOT NULL THEN COALESCE(brand.name, CONCAT('brand ', event.brand_id)) END AS brand_name,
    event.category,
    event.country_code,
    event.city
FROM repins AS event
LEFT JOIN brands AS brand ON event.brand_id = brand.brand_id
UNION ALL
SELECT
    event.event_id,
    'comment' AS event_type,
    event.occurred_at AS occurred_at_utc,
    event.user_id,
    event.pin_id,
    event.brand_id,
    CASE WHEN event.brand_id IS NOT NULL THEN COALESCE(brand.name, CONCAT('brand ', event.brand_id)) END AS brand_name,
    event.category,
    event.country_code,
    event.city
FROM comments AS event
LEFT JOIN brands AS brand ON event.brand_id = brand.brand_id
UNION ALL
SELECT
    event.event_id,
    'login' AS event_type,
    event.occurred_at AS occurred_at_utc,
    event.user_id,
    NULL AS pin_id,
    NULL AS brand_id,
    NULL AS brand_name,
    NULL AS category,
    event.country_code,
    event.city
FROM logins AS event;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('engagement', 'event_id', 'Unique per event'),
('engagement', 'event_type', 'pin, repin, comment or login'),
('engagement', 'occurred_at_utc', 'When it happened, UTC'),
('engagement', 'user_id', 'The person who acted'),
('engagement', 'pin_id', 'The pin that was made or acted on; null for logins'),
('engagement', 'brand_id', 'The brand of the pin; null when it has none or is not known yet'),
('engagement', 'brand_name', 'Its name; brand and its number when it is not known'),
('engagement', 'category', 'Category of the pin; null when it has none or is not known yet'),
('engagement', 'country_code', 'ISO 3166-1 alpha-2 code of where it happened; null when unknown'),
('engagement', 'city', 'City, in English; null when unknown');

-- Engagement with a brand's pins per hour.
DROP VIEW IF EXISTS brand_engagement_hourly;

CREATE VIEW brand_engagement_hourly AS
SELECT
    rolled.brand_id,
    COALESCE(brand.name, CONCAT('brand ', rolled.brand_id)) AS brand_name,
    rolled.hour AS hour_utc,
    rolled.repins + rolled.comments AS engagement,
    rolled.repins,
    rolled.comments,
    rolled.pins,
    rolled.unique_people
FROM brand_hourly AS rolled
LEFT JOIN brands AS brand ON rolled.brand_id = brand.brand_id;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('brand_engagement_hourly', 'brand_id', 'The brand'),
('brand_engagement_hourly', 'brand_name', 'Its name; brand and its number when it is not known'),
('brand_engagement_hourly', 'hour_utc', 'Start of the hour, UTC'),
('brand_engagement_hourly', 'engagement', 'Repins and comments together, count'),
('brand_engagement_hourly', 'repins', 'Repin events, count'),
('brand_engagement_hourly', 'comments', 'Comment events, count'),
('brand_engagement_hourly', 'pins', 'Pin events, count'),
('brand_engagement_hourly', 'unique_people', 'Different people over the three, count; do not add up over rows');

-- Engagement with a brand's pins per day.
DROP VIEW IF EXISTS brand_engagement_daily;

CREATE VIEW brand_engagement_daily AS
SELECT
    rolled.brand_id,
    COALESCE(brand.name, CONCAT('brand ', rolled.brand_id)) AS brand_name,
    rolled.day AS day_utc,
    rolled.repins + rolled.comments AS engagement,
    rolled.repins,
    rolled.comments,
    rolled.pins,
    rolled.unique_people
FROM brand_daily AS rolled
LEFT JOIN brands AS brand ON rolled.brand_id = brand.brand_id;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('brand_engagement_daily', 'brand_id', 'The brand'),
('brand_engagement_daily', 'brand_name', 'Its name; brand and its number when it is not known'),
('brand_engagement_daily', 'day_utc', 'UTC day'),
('brand_engagement_daily', 'engagement', 'Repins and comments together, count'),
('brand_engagement_daily', 'repins', 'Repin events, count'),
('brand_engagement_daily', 'comments', 'Comment events, count'),
('brand_engagement_daily', 'pins', 'Pin events, count'),
('brand_engagement_daily', 'unique_people', 'Different people over the three, count; do not add up over rows');

-- Engagement with a brand's pins per country and day.
DROP VIEW IF EXISTS brand_country_engagement_daily;

CREATE VIEW brand_country_engagement_daily AS
SELECT
    rolled.brand_id,
    COALESCE(brand.name, CONCAT('brand ', rolled.brand_id)) AS brand_name,
    rolled.country_code,
    rolled.day AS day_utc,
    rolled.repins + rolled.comments AS engagement,
    rolled.repins,
    rolled.comments,
    rolled.pins,
    rolled.unique_people
FROM brand_country_daily AS rolled
LEFT JOIN brands AS brand ON rolled.brand_id = brand.brand_id;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('brand_country_engagement_daily', 'brand_id', 'The brand'),
('brand_country_engagement_daily', 'brand_name', 'Its name; brand and its number when it is not known'),
('brand_country_engagement_daily', 'country_code', 'ISO 3166-1 alpha-2 code of where it happened; ZZ when unknown'),
('brand_country_engagement_daily', 'day_utc', 'UTC day'),
('brand_country_engagement_daily', 'engagement', 'Repins and comments together, count'),
('brand_country_engagement_daily', 'repins', 'Repin events, count'),
('brand_country_engagement_daily', 'comments', 'Comment events, count'),
('brand_country_engagement_daily', 'pins', 'Pin events, count'),
('brand_country_engagement_daily', 'unique_people', 'Different people over the three, count; do not add up over rows');

-- Engagement per category and hour.
DROP VIEW IF EXISTS category_engagement_hourly;

CREATE VIEW category_engagement_hourly AS
SELECT
    category,
    hour AS hour_utc,
    repins + comments AS engagement,
    repins,
    comments,
    pins,
    unique_people
FROM category_hourly;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('category_engagement_hourly', 'category', 'Category of the pin; (none) when it has none or is not known yet'),
('category_engagement_hourly', 'hour_utc', 'Start of the hour, UTC'),
('category_engagement_hourly', 'engagement', 'Repins and comments together, count'),
('category_engagement_hourly', 'repins', 'Repin events, count'),
('category_engagement_hourly', 'comments', 'Comment events, count'),
('category_engagement_hourly', 'pins', 'Pin events, count'),
('category_engagement_hourly', 'unique_people', 'Different people over the three, count; do not add up over rows');

-- Engagement per country and hour.
DROP VIEW IF EXISTS country_engagement_hourly;

CREATE VIEW country_engagement_hourly AS
SELECT
    country_code,
    hour AS hour_utc,
    repins + comments AS engagement,
    repins,
    comments,
    pins
FROM country_hourly;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('country_engagement_hourly', 'country_code', 'ISO 3166-1 alpha-2 code of where it happened; ZZ when unknown'),
('country_engagement_hourly', 'hour_utc', 'Start of the hour, UTC'),
('country_engagement_hourly', 'engagement', 'Repins and comments together, count'),
('country_engagement_hourly', 'repins', 'Repin events, count'),
('country_engagement_hourly', 'comments', 'Comment events, count'),
('country_engagement_hourly', 'pins', 'Pin events, count');

-- Engagement per pin and hour.
DROP VIEW IF EXISTS pin_engagement_hourly;

CREATE VIEW pin_engagement_hourly AS
SELECT
    rolled.pin_id,
    pin.title,
    pin.brand_id,
    CASE WHEN pin.brand_id IS NOT NULL THEN COALESCE(brand.name, CONCAT('brand ', pin.brand_id)) END AS brand_name,
    pin.category,
    rolled.hour AS hour_utc,
    rolled.engagement,
    rolled.repins,
    rolled.comments,
    rolled.pins
FROM pin_hourly AS rolled
LEFT JOIN pin_cache AS pin ON rolled.pin_id = pin.pin_id
LEFT JOIN brands AS brand ON pin.brand_id = brand.brand_id;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('pin_engagement_hourly', 'pin_id', 'The pin'),
('pin_engagement_hourly', 'title', 'Its title as written by its creator; null when not known'),
('pin_engagement_hourly', 'brand_id', 'Its brand; null when it has none or is not known'),
('pin_engagement_hourly', 'brand_name', 'Name of the brand; brand and its number when it is not known'),
('pin_engagement_hourly', 'category', 'Its category; null when it has none or is not known'),
('pin_engagement_hourly', 'hour_utc', 'Start of the hour, UTC'),
('pin_engagement_hourly', 'engagement', 'Repins and comments together, count'),
('pin_engagement_hourly', 'repins', 'Repin events, count'),
('pin_engagement_hourly', 'comments', 'Comment events, count'),
('pin_engagement_hourly', 'pins', 'Pin events, count');

-- From a pin to its first repin.
DROP VIEW IF EXISTS pin_first_repins;

CREATE VIEW pin_first_repins AS
SELECT
    pin_id,
    pinned_at AS pinned_at_utc,
    repinned_at AS repinned_at_utc,
    TIMESTAMPDIFF(SECOND, pinned_at, repinned_at) AS seconds_to_first_repin
FROM pin_firsts;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('pin_first_repins', 'pin_id', 'A pin that came by as a pin event'),
('pin_first_repins', 'pinned_at_utc', 'Its first pin event, UTC'),
('pin_first_repins', 'repinned_at_utc', 'Its first repin since, UTC; null while there is none'),
('pin_first_repins', 'seconds_to_first_repin', 'Seconds between the two; null while there is no repin');

-- How many people there were each day.
DROP VIEW IF EXISTS people_daily_counts;

CREATE VIEW people_daily_counts AS
SELECT
    day AS day_utc,
    SUM(BIT_COUNT(bits)) AS unique_people
FROM people_daily
GROUP BY day;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('people_daily_counts', 'day_utc', 'UTC day'),
('people_daily_counts', 'unique_people', 'Different people with an event of any type, count; do not add up over days');

-- Where each person is at home.
DROP VIEW IF EXISTS people_homes;

CREATE VIEW people_homes AS
SELECT
    user_id,
    country_code AS home_country_code,
    logins
FROM person_homes;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('people_homes', 'user_id', 'A person who ever logged in'),
('people_homes', 'home_country_code', 'ISO 3166-1 alpha-2 code of where most logins came from; ZZ when none could be located'),
('people_homes', 'logins', 'Logins from there, count');

-- Up to when each table is complete.
DROP VIEW IF EXISTS complete_through;

CREATE VIEW complete_through AS
SELECT
    known.table_name,
    CASE WHEN COUNT(progress.kafka_timestamp) = COUNT(*) THEN MIN(progress.kafka_timestamp) END AS complete_through_utc,
    CASE
        WHEN COUNT(progress.kafka_timestamp) = COUNT(*)
            THEN TIMESTAMPDIFF(SECOND, MIN(progress.kafka_timestamp), UTC_TIMESTAMP(6))
    END AS age_seconds,
    MAX(progress.kafka_timestamp) AS newest_utc
FROM (
    SELECT
        named.table_name,
        part.kafka_partition
    FROM (
        SELECT DISTINCT table_name
        FROM merge_progress
    ) AS named
    CROSS JOIN (
        SELECT DISTINCT kafka_partition
        FROM merge_progress
    ) AS part
) AS known
LEFT JOIN merge_progress AS progress
    ON known.table_name = progress.table_name AND known.kafka_partition = progress.kafka_partition
GROUP BY known.table_name;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('complete_through', 'table_name', 'The event table; a rollup is as complete as the tables it counts'),
('complete_through', 'complete_through_utc', 'Everything that Kafka had received by then is in the table, UTC; null: a partition is not merged at all yet. Never too late, often too early: a partition without new events can not be told from one that is behind. A partition of which nothing was ever merged is not known here'),
('complete_through', 'age_seconds', 'Seconds since then; null with it'),
('complete_through', 'newest_utc', 'Kafka time of the newest event in the table, UTC; others before it may be missing');

-- What the merge did, slice by slice.
DROP VIEW IF EXISTS merge_ledger;

CREATE VIEW merge_ledger AS
SELECT
    slice_id,
    table_name,
    state,
    rows_read,
    inserted,
    updated,
    deleted,
    duplicates,
    conflicting,
    quarantined,
    overtaken,
    started_at AS started_at_utc,
    merged_at AS merged_at_utc
FROM merge_slices;

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('merge_ledger', 'slice_id', 'One attempt to merge a range of lake versions'),
('merge_ledger', 'table_name', 'The event table'),
('merge_ledger', 'state', 'staging, staged, held, accepted, merged or superseded'),
('merge_ledger', 'rows_read', 'Changes read; the counts below add up to it once merged'),
('merge_ledger', 'inserted', 'New events, count'),
('merge_ledger', 'updated', 'Corrections of events that were there, count'),
('merge_ledger', 'deleted', 'Events taken away, count'),
('merge_ledger', 'duplicates', 'Later deliveries of an event, same payload, count; left out'),
('merge_ledger', 'conflicting', 'Later deliveries under a used event_id, other payload, count; left out'),
('merge_ledger', 'quarantined', 'Rows that broke a rule, count; kept apart'),
('merge_ledger', 'overtaken', 'Changes that a later one replaced, count'),
('merge_ledger', 'started_at_utc', 'When it began, UTC'),
('merge_ledger', 'merged_at_utc', 'When it was merged, UTC; null until then');

-- Every column that the one who asks may read, with its meaning: a view's from view_columns, a table's own COMMENT.
DROP VIEW IF EXISTS data_dictionary;

CREATE
--mariadb: SQL SECURITY INVOKER
VIEW data_dictionary AS
SELECT
    seen.table_name,
    seen.column_name,
    seen.column_type,
    COALESCE(told.meaning, NULLIF(seen.column_comment, '')) AS meaning
FROM information_schema.columns AS seen
LEFT JOIN view_columns AS told ON seen.table_name = told.view_name AND seen.column_name = told.column_name
WHERE seen.table_schema = DATABASE();

INSERT IGNORE INTO view_columns (view_name, column_name, meaning)
VALUES
('data_dictionary', 'table_name', 'Table or view'),
('data_dictionary', 'column_name', 'Its column'),
('data_dictionary', 'column_type', 'SQL type'),
('data_dictionary', 'meaning', 'What the column says, and its unit');

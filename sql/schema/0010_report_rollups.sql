-- name:    schema/0010_report_rollups
-- purpose: What the reports need to answer for any period: indexes by hour, and rollups per pin, country and person.
-- grain:   one row per key of each table
-- reads:   pins, repins, comments, logins, pin_hourly, clock_hours
-- writes:  pins, repins, comments, logins, clock_hours, pin_hourly, country_hourly, people_daily, person_homes, pin_firsts
-- params:  none

-- One index per table for all that is asked by hour: it covers the rollups below and the last 60 minutes.
--mariadb: CREATE INDEX IF NOT EXISTS by_hour
--mariadb: ON pins (occurred_hour, pin_id, occurred_at, country_code, category, user_id);
--mariadb: CREATE INDEX IF NOT EXISTS by_hour
--mariadb: ON repins (occurred_hour, pin_id, occurred_at, country_code, category, user_id);
--mariadb: CREATE INDEX IF NOT EXISTS by_hour
--mariadb: ON comments (occurred_hour, pin_id, occurred_at, country_code, category, user_id);
-- A late event recomputes its country's hour, not the whole hour.
--mariadb: CREATE INDEX IF NOT EXISTS by_hour_country ON pins (occurred_hour, country_code);
--mariadb: CREATE INDEX IF NOT EXISTS by_hour_country ON repins (occurred_hour, country_code);
--mariadb: CREATE INDEX IF NOT EXISTS by_hour_country ON comments (occurred_hour, country_code);
--mariadb: CREATE INDEX IF NOT EXISTS by_hour_person ON logins (occurred_hour, user_id);
--mariadb: CREATE INDEX IF NOT EXISTS by_person ON logins (user_id, country_code);
--mariadb: DROP INDEX IF EXISTS by_hour ON logins;

CREATE TABLE IF NOT EXISTS clock_hours (
    hour_of_day TINYINT NOT NULL COMMENT 'Hour of a UTC day, 0 to 23',
    --singlestore: SHARD KEY (hour_of_day),
    PRIMARY KEY (hour_of_day)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'The hours of a day: so that an hour without events is a row with 0';

INSERT IGNORE INTO clock_hours (hour_of_day)
VALUES
(0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11),
(12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23);

CREATE TABLE IF NOT EXISTS pin_hourly (
    pin_id BIGINT NOT NULL COMMENT 'The pin; what is known of it is in pin_cache',
    hour DATETIME NOT NULL COMMENT 'Start of the UTC hour',
    pins BIGINT NOT NULL COMMENT 'Pin events, count',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    comments BIGINT NOT NULL COMMENT 'Comment events, count',
    engagement BIGINT NOT NULL COMMENT 'Repins and comments together, count',
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the bucket was last recomputed, UTC',
    --mariadb: KEY by_engagement (engagement, hour),
    --singlestore: SHARD KEY (pin_id, hour),
    PRIMARY KEY (pin_id, hour)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Engagement per pin and UTC hour of the event';

CREATE TABLE IF NOT EXISTS country_hourly (
    hour DATETIME NOT NULL COMMENT 'Start of the UTC hour',
    country_code VARCHAR(2) NOT NULL COMMENT 'ISO 3166-1 alpha-2 code of where it happened; ZZ when unknown',
    pins BIGINT NOT NULL COMMENT 'Pin events, count',
    repins BIGINT NOT NULL COMMENT 'Repin events, count',
    comments BIGINT NOT NULL COMMENT 'Comment events, count',
    updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the bucket was last recomputed, UTC',
    --singlestore: SHARD KEY (hour, country_code),
    PRIMARY KEY (hour, country_code)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Engagement per country and UTC hour of the event';

-- A person's day is one bit: 30 days of 500,000 people are 234,000 rows, and their union is exact.
CREATE TABLE IF NOT EXISTS people_daily (
    day DATE NOT NULL COMMENT 'UTC day',
    chunk BIGINT UNSIGNED NOT NULL COMMENT 'user_id >> 6: which 64 people',
    bits BIGINT UNSIGNED NOT NULL COMMENT 'Bit user_id & 63 is set when that person has an event on that day',
    --singlestore: SHARD KEY (day, chunk),
    PRIMARY KEY (day, chunk)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Who was there on which UTC day, by an event of any type, a bit per person';

CREATE TABLE IF NOT EXISTS person_homes (
    user_id BIGINT NOT NULL COMMENT 'The person',
    country_code VARCHAR(2) NOT NULL COMMENT 'Where most logins came from, first by code; ZZ: none known',
    logins BIGINT NOT NULL COMMENT 'Logins from there, count',
    --mariadb: KEY by_country (country_code),
    --singlestore: SHARD KEY (user_id),
    PRIMARY KEY (user_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Home country of each person who ever logged in';

CREATE TABLE IF NOT EXISTS pin_firsts (
    pin_id BIGINT NOT NULL COMMENT 'A pin that came by as a pin event',
    pinned_at DATETIME(6) NOT NULL COMMENT 'Its first pin event, UTC',
    repinned_at DATETIME(6) COMMENT 'Its first repin at or after pinned_at, UTC; null while there is none',
    --mariadb: KEY by_time (pinned_at, repinned_at),
    --singlestore: SHARD KEY (pin_id),
    PRIMARY KEY (pin_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'From a pin to its first repin';

-- What was merged before the rollups were there; again changes nothing. A table at a time, each in the order of its index: all at once was a sort of everything.
INSERT INTO pin_hourly (pin_id, hour, pins, repins, comments, engagement)
SELECT
    pin_id,
    occurred_hour,
    COUNT(*) AS pins,
    0 AS repins,
    0 AS comments,
    0 AS engagement
FROM pins
WHERE pin_id IS NOT NULL
GROUP BY occurred_hour, pin_id
ON DUPLICATE KEY UPDATE
    pins = VALUES (pins);

INSERT INTO pin_hourly (pin_id, hour, pins, repins, comments, engagement)
SELECT
    pin_id,
    occurred_hour,
    0 AS pins,
    COUNT(*) AS repins,
    0 AS comments,
    COUNT(*) AS engagement
FROM repins
WHERE pin_id IS NOT NULL
GROUP BY occurred_hour, pin_id
ON DUPLICATE KEY UPDATE
    repins = VALUES (repins),
    engagement = VALUES (repins) + comments;

INSERT INTO pin_hourly (pin_id, hour, pins, repins, comments, engagement)
SELECT
    pin_id,
    occurred_hour,
    0 AS pins,
    0 AS repins,
    COUNT(*) AS comments,
    COUNT(*) AS engagement
FROM comments
WHERE pin_id IS NOT NULL
GROUP BY occurred_hour, pin_id
ON DUPLICATE KEY UPDATE
    comments = VALUES (comments),
    engagement = repins + VALUES (comments);

INSERT IGNORE INTO country_hourly (hour, country_code, pins, repins, comments)
SELECT
    occurred_hour,
    country_code,
    SUM(pins) AS pins,
    SUM(repins) AS repins,
    SUM(comments) AS comments
FROM (
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        occurred_hour,
        1 AS pins,
        0 AS repins,
        0 AS comments
    FROM pins
    UNION ALL
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        occurred_hour,
        0 AS pins,
        1 AS repins,
        0 AS comments
    FROM repins
    UNION ALL
    SELECT
        COALESCE(country_code, 'ZZ') AS country_code,
        occurred_hour,
        0 AS pins,
        0 AS repins,
        1 AS comments
    FROM comments
) AS event
GROUP BY occurred_hour, country_code;

INSERT IGNORE INTO people_daily (day, chunk, bits)
SELECT
    DATE(occurred_hour) AS day,
    user_id >> 6 AS chunk,
    BIT_OR(1 << (user_id & 63)) AS bits
FROM (
    SELECT
        occurred_hour,
        user_id
    FROM pins
    UNION ALL
    SELECT
        occurred_hour,
        user_id
    FROM repins
    UNION ALL
    SELECT
        occurred_hour,
        user_id
    FROM comments
    UNION ALL
    SELECT
        occurred_hour,
        user_id
    FROM logins
) AS event
GROUP BY DATE(occurred_hour), user_id >> 6;

INSERT IGNORE INTO person_homes (user_id, country_code, logins)
SELECT
    user_id,
    country_code,
    logins
FROM (
    SELECT
        user_id,
        COALESCE(country_code, 'ZZ') AS country_code,
        COUNT(*) AS logins,
        ROW_NUMBER() OVER (
            PARTITION BY user_id
            ORDER BY country_code IS NULL, COUNT(*) DESC, country_code
        ) AS place
    FROM logins
    GROUP BY user_id, country_code
) AS ranked
WHERE place = 1;

-- As rollup/pin_firsts does, for all pins.
INSERT IGNORE INTO pin_firsts (
    pin_id,
    pinned_at,
    repinned_at
)
SELECT
    followed.pin_id,
    followed.pinned_at,
    COALESCE(
        (
            SELECT MIN(same.occurred_at)
            FROM repins AS same
            WHERE
                same.occurred_hour = followed.pinned_hour
                AND same.pin_id = followed.pin_id
                AND same.occurred_at >= followed.pinned_at
        ),
        (
            SELECT MIN(later.occurred_at)
            FROM repins AS later
            WHERE
                later.occurred_hour = followed.repinned_hour
                AND later.pin_id = followed.pin_id
        )
    ) AS repinned_at
FROM (
    SELECT
        made.pin_id,
        made.pinned_hour,
        made.pinned_at,
        MIN(bucket.hour) AS repinned_hour
    FROM (
        SELECT
            hours.pin_id,
            hours.pinned_hour,
            MIN(event.occurred_at) AS pinned_at
        FROM (
            SELECT
                pin_id,
                MIN(hour) AS pinned_hour
            FROM pin_hourly
            WHERE pins > 0
            GROUP BY pin_id
        ) AS hours
        INNER JOIN pins AS event ON hours.pinned_hour = event.occurred_hour AND hours.pin_id = event.pin_id
        GROUP BY
            hours.pin_id,
            hours.pinned_hour
    ) AS made
    LEFT JOIN pin_hourly AS bucket
        ON made.pin_id = bucket.pin_id AND made.pinned_hour < bucket.hour AND bucket.repins > 0
    GROUP BY
        made.pin_id,
        made.pinned_hour,
        made.pinned_at
) AS followed;

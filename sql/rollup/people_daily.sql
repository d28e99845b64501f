-- name:    rollup/people_daily
-- purpose: Set the bits of the people and days that a slice touched according to the deduplicated rows.
-- grain:   one row per day and 64 people
-- reads:   touched_people, left_hours, left_bits, clock_hours, pins, repins, comments, logins
-- writes:  left_hours, touched_people, left_bits, people_daily
-- params:  none

-- If a person's row left a day and the slice has no other row of theirs there, they may still have older rows on it. Then
-- the whole day is read; only an erasure, or a correction of user or time, causes that. Other people found have the bit.
INSERT INTO left_hours (hour)
SELECT DISTINCT gone.day + INTERVAL clock.hour_of_day HOUR
FROM touched_people AS gone
CROSS JOIN clock_hours AS clock
WHERE gone.is_seen = 0;

INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(hours.hour) AS day,
    event.user_id,
    1 AS is_seen
FROM left_hours AS hours
INNER JOIN pins AS event ON hours.hour = event.occurred_hour
ON DUPLICATE KEY UPDATE is_seen = 1;

INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(hours.hour) AS day,
    event.user_id,
    1 AS is_seen
FROM left_hours AS hours
INNER JOIN repins AS event ON hours.hour = event.occurred_hour
ON DUPLICATE KEY UPDATE is_seen = 1;

INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(hours.hour) AS day,
    event.user_id,
    1 AS is_seen
FROM left_hours AS hours
INNER JOIN comments AS event ON hours.hour = event.occurred_hour
ON DUPLICATE KEY UPDATE is_seen = 1;

INSERT INTO touched_people (
    day,
    user_id,
    is_seen
)
SELECT DISTINCT
    DATE(hours.hour) AS day,
    event.user_id,
    1 AS is_seen
FROM left_hours AS hours
INNER JOIN logins AS event ON hours.hour = event.occurred_hour
ON DUPLICATE KEY UPDATE is_seen = 1;

INSERT INTO people_daily (
    day,
    chunk,
    bits
)
SELECT
    day,
    user_id >> 6 AS chunk,
    BIT_OR(1 << (user_id & 63)) AS bits
FROM touched_people
WHERE is_seen = 1
GROUP BY
    day,
    user_id >> 6
ON DUPLICATE KEY UPDATE bits = bits | VALUES (bits);

-- A work table, because MariaDB recomputed the same derived table for every row of people_daily.
INSERT INTO left_bits (
    day,
    chunk,
    bits
)
SELECT
    day,
    user_id >> 6 AS chunk,
    BIT_OR(1 << (user_id & 63)) AS bits
FROM touched_people
WHERE is_seen = 0
GROUP BY
    day,
    user_id >> 6;

UPDATE people_daily AS kept
INNER JOIN left_bits AS gone ON kept.day = gone.day AND kept.chunk = gone.chunk
SET kept.bits = kept.bits & ~gone.bits;

DELETE kept FROM people_daily AS kept
INNER JOIN left_bits AS gone ON kept.day = gone.day AND kept.chunk = gone.chunk
WHERE kept.bits = 0;

-- name:    questions/top_pins
-- purpose: The pins that people engaged with most in a period.
-- grain:   one row per pin with engagement, most engaged first, then by pin_id
-- reads:   category_hourly, repins, pin_hourly, pin_cache, brands
-- writes:  nothing
-- params:  from_time datetime, to_time datetime, top int

-- noqa: disable=PRS
-- A period is the hours that start in [from_time, to_time), UTC. To avoid adding up all its hours, the pins of its last
-- hour give a floor: at least `top` pins reach it. A pin that reaches the floor over n hours has at least an n-th of it
-- in one of them, so only such pins are candidates, and the index by engagement finds them level by level.
-- STRAIGHT_JOIN, because MariaDB's own join order reads every hour of every pin.
WITH period AS (
    SELECT
        MAX(hour) AS last_hour,
        COUNT(DISTINCT hour) AS hours
    FROM category_hourly
    WHERE hour >= %(from_time)s AND hour < %(to_time)s
),

sample AS (
    SELECT
        rolled.pin_id,
        ROW_NUMBER() OVER (ORDER BY SUM(rolled.engagement) DESC) AS place,
        SUM(rolled.engagement) AS engagement
    FROM (
        SELECT event.pin_id
        FROM period
        INNER JOIN repins AS event ON period.last_hour = event.occurred_hour
        WHERE event.pin_id IS NOT NULL
        GROUP BY event.pin_id
        ORDER BY COUNT(*) DESC
        LIMIT 1000
    ) AS seed
    INNER JOIN pin_hourly AS rolled
        ON seed.pin_id = rolled.pin_id AND rolled.hour >= %(from_time)s AND rolled.hour < %(to_time)s
    GROUP BY rolled.pin_id
),

bar AS (
    SELECT GREATEST(1, COALESCE(CEIL(MAX(sample.engagement) / MAX(period.hours)), 1)) AS engagement
    FROM period
    LEFT JOIN sample ON sample.place = %(top)s
),

level AS (
    SELECT engagement
    FROM pin_hourly
    GROUP BY engagement
),

candidate AS (
    SELECT DISTINCT rolled.pin_id
    FROM bar
    INNER JOIN level ON bar.engagement <= level.engagement
    --mariadb: STRAIGHT_JOIN pin_hourly AS rolled ON level.engagement = rolled.engagement
    --singlestore: INNER JOIN pin_hourly AS rolled ON level.engagement = rolled.engagement
    WHERE rolled.hour >= %(from_time)s AND rolled.hour < %(to_time)s
)

SELECT
    ranked.pin_id,
    pin.title,
    pin.brand_id,
    COALESCE(brand.name, CONCAT('brand ', pin.brand_id)) AS brand_name,
    pin.category,
    ranked.engagement,
    ranked.repins,
    ranked.comments,
    ranked.pins
FROM (
    SELECT
        rolled.pin_id,
        SUM(rolled.engagement) AS engagement,
        SUM(rolled.repins) AS repins,
        SUM(rolled.comments) AS comments,
        SUM(rolled.pins) AS pins
    FROM candidate
    --mariadb: STRAIGHT_JOIN pin_hourly AS rolled ON candidate.pin_id = rolled.pin_id
    --singlestore: INNER JOIN pin_hourly AS rolled ON candidate.pin_id = rolled.pin_id
    WHERE rolled.hour >= %(from_time)s AND rolled.hour < %(to_time)s
    GROUP BY rolled.pin_id
    ORDER BY
        SUM(rolled.engagement) DESC,
        rolled.pin_id ASC
    LIMIT %(top)s
) AS ranked
LEFT JOIN pin_cache AS pin ON ranked.pin_id = pin.pin_id
LEFT JOIN brands AS brand ON pin.brand_id = brand.brand_id
ORDER BY
    ranked.engagement DESC,
    ranked.pin_id ASC

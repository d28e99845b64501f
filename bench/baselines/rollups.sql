-- The baselines' rollups, computed over all rows at the end.

REPLACE INTO brand_hourly (brand_id, hour, pins, repins, comments, unique_people)
SELECT
    brand_id,
    hour,
    SUM(kind = 'pin'),
    SUM(kind = 'repin'),
    SUM(kind = 'comment'),
    COUNT(DISTINCT user_id)
FROM (
    SELECT 'pin' AS kind, brand_id, DATE_FORMAT(occurred_at, '%Y-%m-%d %H:00:00') AS hour, user_id FROM pins
    UNION ALL
    SELECT 'repin' AS kind, brand_id, DATE_FORMAT(occurred_at, '%Y-%m-%d %H:00:00') AS hour, user_id FROM repins
    UNION ALL
    SELECT 'comment' AS kind, brand_id, DATE_FORMAT(occurred_at, '%Y-%m-%d %H:00:00') AS hour, user_id FROM comments
) AS engaged
WHERE brand_id IS NOT NULL
GROUP BY brand_id, hour;

REPLACE INTO category_hourly (category, hour, pins, repins, comments, unique_people)
SELECT
    COALESCE(category, '(none)') AS category,
    hour,
    SUM(kind = 'pin'),
    SUM(kind = 'repin'),
    SUM(kind = 'comment'),
    COUNT(DISTINCT user_id)
FROM (
    SELECT 'pin' AS kind, category, DATE_FORMAT(occurred_at, '%Y-%m-%d %H:00:00') AS hour, user_id FROM pins
    UNION ALL
    SELECT 'repin' AS kind, category, DATE_FORMAT(occurred_at, '%Y-%m-%d %H:00:00') AS hour, user_id FROM repins
    UNION ALL
    SELECT 'comment' AS kind, category, DATE_FORMAT(occurred_at, '%Y-%m-%d %H:00:00') AS hour, user_id FROM comments
) AS engaged
GROUP BY 1, hour;

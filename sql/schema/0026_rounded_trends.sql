-- name:    schema/0026_rounded_trends
-- purpose: Rates that a person can read in trending, and over what people are unique in the meanings of columns.
-- grain:   no rows
-- reads:   trends, pin_cache, brands
-- writes:  trending, view_columns
-- params:  none

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
    ROUND(trend.per_minute, 2) AS per_minute,
    ROUND(trend.usual_per_minute, 2) AS usual_per_minute,
    CASE
        WHEN trend.usual_per_minute > 0 THEN ROUND(trend.per_minute / trend.usual_per_minute, 2)
    END AS times_usual,
    trend.chance_log10
FROM trends AS trend
LEFT JOIN pin_cache AS pin ON trend.kind = 'pin' AND CAST(trend.item AS SIGNED) = pin.pin_id
LEFT JOIN brands AS brand ON trend.kind = 'brand' AND CAST(trend.item AS SIGNED) = brand.brand_id;

UPDATE view_columns
SET meaning = 'Different people who pinned, repinned or commented, count; do not add up over rows'
WHERE column_name = 'unique_people' AND view_name IN (
    'brand_engagement_hourly', 'brand_engagement_daily', 'brand_country_engagement_daily',
    'category_engagement_hourly'
);

-- name:    pages/brand
-- purpose: What is known of a brand, and how far its numbers are: for the page of its running day.
-- grain:   one row, also for a brand that does not exist
-- reads:   brands, brand_daily, retention, complete_through
-- writes:  nothing
-- params:  brand_id bigint

-- first_day: the UTC day of its first event; null if it has none. kept_from: earlier days have rollups, but no rows any more.
SELECT
    (
        SELECT name
        FROM brands
        WHERE brand_id = %(brand_id)s
    ) AS name,
    COALESCE(
        (
            SELECT time_zone
            FROM brands
            WHERE brand_id = %(brand_id)s
        ),
        'UTC'
    ) AS time_zone,
    (
        SELECT MIN(day)
        FROM brand_daily
        WHERE brand_id = %(brand_id)s
    ) AS first_day,
    (
        SELECT kept_from
        FROM retention
        WHERE store = 'events'
    ) AS kept_from,
    (
        SELECT complete_through_utc
        FROM complete_through
        WHERE table_name = 'rollups'
    ) AS complete_through

-- name:    pages/explore_examples
-- purpose: Values with which the questions find something: the newest event's time, and who was engaged with lately.
-- grain:   one row; null where there is no event yet
-- reads:   complete_through, brand_daily, repin_minutes
-- writes:  nothing
-- params:  none
SELECT
    (SELECT MAX(newest_utc) FROM complete_through) AS newest,
    (
        SELECT engaged.brand_id
        FROM brand_daily AS engaged
        WHERE engaged.day = (SELECT MAX(newest.day) FROM brand_daily AS newest)
        ORDER BY
            engaged.repins + engaged.comments DESC,
            engaged.brand_id ASC
        LIMIT 1
    ) AS brand_id,
    (
        SELECT item
        FROM repin_minutes
        WHERE kind = 'category'
        ORDER BY
            minute DESC,
            repins DESC,
            item ASC
        LIMIT 1
    ) AS category

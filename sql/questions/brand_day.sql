-- name:    questions/brand_day
-- purpose: A brand's day in one row, next to the day before.
-- grain:   one row, also for a day without events
-- reads:   brand_daily, brands
-- writes:  nothing
-- params:  brand_id bigint, day date
-- same as: reports/hours, reports/people

-- unique_people: pinned, repinned or commented; exact for the day.
SELECT
    asked.brand_id,
    COALESCE(brand.name, CONCAT('brand ', asked.brand_id)) AS brand_name,
    asked.day,
    COALESCE(today.repins + today.comments, 0) AS engagement,
    COALESCE(today.repins, 0) AS repins,
    COALESCE(today.comments, 0) AS comments,
    COALESCE(today.pins, 0) AS pins,
    COALESCE(today.unique_people, 0) AS unique_people,
    COALESCE(earlier.repins + earlier.comments, 0) AS engagement_day_before,
    COALESCE(earlier.unique_people, 0) AS unique_people_day_before
FROM (
    SELECT
        %(brand_id)s AS brand_id,
        CAST(%(day)s AS DATE) AS day
) AS asked
LEFT JOIN brands AS brand ON asked.brand_id = brand.brand_id
LEFT JOIN brand_daily AS today ON asked.brand_id = today.brand_id AND asked.day = today.day
LEFT JOIN brand_daily AS earlier ON asked.brand_id = earlier.brand_id AND asked.day - INTERVAL 1 DAY = earlier.day

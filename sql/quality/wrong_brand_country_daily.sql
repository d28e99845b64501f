-- name:    quality/wrong_brand_country_daily
-- purpose: Buckets of brand_country_daily, on a day, that contradict those of brand_daily.
-- grain:   one row per wrong bucket
-- reads:   brand_country_daily, brand_daily, stale_rows
-- writes:  nothing
-- params:  day date

-- Events add up exactly. People do not: the total is at least the largest part and at most the sum of the parts.
SELECT
    brand_id,
    SUM(pins) AS pins_too_many,
    SUM(repins) AS repins_too_many,
    SUM(comments) AS comments_too_many,
    SUM(whole_people) AS people,
    MAX(part_people) AS people_at_least,
    SUM(part_people) AS people_at_most
FROM (
    SELECT
        brand_id,
        pins AS pins,
        repins AS repins,
        comments AS comments,
        0 AS whole_people,
        unique_people AS part_people
    FROM brand_country_daily
    WHERE day = %(day)s
    UNION ALL
    SELECT
        brand_id,
        -pins AS pins,
        -repins AS repins,
        -comments AS comments,
        unique_people AS whole_people,
        0 AS part_people
    FROM brand_daily
    WHERE day = %(day)s
) AS compared
WHERE
    brand_id NOT IN (
        SELECT brand_id
        FROM stale_rows
        WHERE
            occurred_hour >= %(day)s
            AND occurred_hour < %(day)s + INTERVAL 1 DAY
            AND brand_id IS NOT NULL
    )
GROUP BY brand_id
HAVING
    SUM(pins) <> 0
    OR SUM(repins) <> 0
    OR SUM(comments) <> 0
    OR SUM(whole_people) < MAX(part_people)
    OR SUM(whole_people) > SUM(part_people)
ORDER BY brand_id

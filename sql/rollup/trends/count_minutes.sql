-- name:    rollup/trends/count_minutes
-- purpose: Recount consecutive minutes from the deduplicated rows.
-- grain:   one row per minute, kind and item
-- reads:   repins
-- writes:  repin_minutes
-- params:  from_minute datetime, to_minute datetime

-- The limits are repeated in each part because the server uses the index by minute only with constants.
INSERT INTO repin_minutes (
    minute,
    kind,
    item,
    repins
)
SELECT
    CAST(%(from_minute)s AS DATETIME) + INTERVAL counted.nth MINUTE AS minute,
    counted.kind,
    counted.item,
    counted.repins
FROM (
    SELECT
        TIMESTAMPDIFF(MINUTE, %(from_minute)s, occurred_at) AS nth,
        'all' AS kind,
        '' AS item,
        COUNT(*) AS repins
    FROM repins
    WHERE occurred_at >= %(from_minute)s AND occurred_at < %(to_minute)s
    GROUP BY nth
    UNION ALL
    SELECT
        TIMESTAMPDIFF(MINUTE, %(from_minute)s, occurred_at) AS nth,
        'pin' AS kind,
        CAST(pin_id AS CHAR) AS item,
        COUNT(*) AS repins
    FROM repins
    WHERE occurred_at >= %(from_minute)s AND occurred_at < %(to_minute)s AND pin_id IS NOT NULL
    GROUP BY
        nth,
        pin_id
    UNION ALL
    SELECT
        TIMESTAMPDIFF(MINUTE, %(from_minute)s, occurred_at) AS nth,
        'brand' AS kind,
        CAST(brand_id AS CHAR) AS item,
        COUNT(*) AS repins
    FROM repins
    WHERE occurred_at >= %(from_minute)s AND occurred_at < %(to_minute)s AND brand_id IS NOT NULL
    GROUP BY
        nth,
        brand_id
    UNION ALL
    SELECT
        TIMESTAMPDIFF(MINUTE, %(from_minute)s, occurred_at) AS nth,
        'category' AS kind,
        COALESCE(category, '(none)') AS item,
        COUNT(*) AS repins
    FROM repins
    WHERE occurred_at >= %(from_minute)s AND occurred_at < %(to_minute)s
    GROUP BY
        nth,
        category
    UNION ALL
    SELECT
        TIMESTAMPDIFF(MINUTE, %(from_minute)s, occurred_at) AS nth,
        'country' AS kind,
        COALESCE(country_code, 'ZZ') AS item,
        COUNT(*) AS repins
    FROM repins
    WHERE occurred_at >= %(from_minute)s AND occurred_at < %(to_minute)s
    GROUP BY
        nth,
        country_code
) AS counted

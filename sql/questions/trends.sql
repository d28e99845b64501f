-- name:    questions/trends
-- purpose: The items that rise now compared with their own recent past: pins, categories, brands and countries.
-- grain:   one row per kind and item, by kind, least likely to be chance first, then by item
-- reads:   trending
-- writes:  nothing
-- params:  top int, all_brands int, brands bigint

-- top: per kind. Viewers bound to brands see only these brands and their pins: other kinds include other brands' data.
SELECT
    kind,
    item,
    name,
    brand_id,
    since_utc,
    as_of_utc,
    repins,
    per_minute,
    usual_per_minute,
    times_usual,
    chance_log10
FROM (
    SELECT
        kind,
        item,
        name,
        brand_id,
        since_utc,
        as_of_utc,
        repins,
        per_minute,
        usual_per_minute,
        times_usual,
        chance_log10,
        ROW_NUMBER() OVER (PARTITION BY kind ORDER BY chance_log10, item) AS place
    FROM trending
    WHERE %(all_brands)s = 1 OR brand_id IN %(brands)s
) AS ranked
WHERE place <= %(top)s
ORDER BY
    kind,
    place

-- name:    quality/books/ledger
-- purpose: A table's rows by the ledger, and slices that do not add up. A rebuild begins anew with its parts.
-- grain:   one row
-- reads:   merge_slices, rebuilds
-- writes:  nothing
-- params:  table_name varchar
WITH merged AS (
    SELECT
        slice_id,
        to_version,
        inserted,
        deleted,
        rows_read = inserted + updated + deleted + duplicates + conflicting + quarantined + overtaken AS adds_up,
        detail,
        merged_at,
        from_version = -1 AND COALESCE(detail LIKE '{"rebuild":%%', FALSE) AS is_part
    FROM merge_slices
    WHERE
        table_name = %(table_name)s
        AND state = 'merged'
),

rebuilt AS (
    SELECT
        MAX(to_version) AS version,
        MAX(merged_at) AS rebuilt_at
    FROM merged
    WHERE is_part
),

-- A part that was loaded twice counts once.
part AS (
    SELECT MAX(merged.slice_id) AS slice_id
    FROM merged
    INNER JOIN rebuilt ON merged.to_version = rebuilt.version
    WHERE merged.is_part
    GROUP BY merged.detail
)

SELECT
    COALESCE(SUM(merged.inserted), 0) - COALESCE(SUM(merged.deleted), 0) AS ledger_rows,
    MIN(CASE WHEN NOT merged.adds_up THEN merged.slice_id END) AS unequal_slice,
    (
        SELECT COUNT(*)
        FROM rebuilds
        WHERE rebuilds.table_name = %(table_name)s
    ) AS rebuilding,
    MAX(rebuilt.rebuilt_at) AS rebuilt_at
FROM merged
CROSS JOIN rebuilt
LEFT JOIN part ON merged.slice_id = part.slice_id
WHERE
    part.slice_id IS NOT NULL
    OR (NOT merged.is_part AND merged.merged_at > COALESCE(rebuilt.rebuilt_at, '1970-01-01'))

-- name:    quality/books/ledger
-- purpose: A table's rows by the ledger, and slices that do not add up. A rebuild begins anew with its parts.
-- grain:   one row
-- reads:   merge_slices, rebuilds
-- writes:  nothing
-- params:  table_name varchar
SELECT
    COALESCE(SUM(slices.inserted), 0) - COALESCE(SUM(slices.deleted), 0) AS ledger_rows,
    MIN(CASE WHEN NOT slices.adds_up THEN slices.slice_id END) AS unequal_slice,
    (
        SELECT COUNT(*)
        FROM rebuilds
        WHERE rebuilds.table_name = %(table_name)s
    ) AS rebuilding,
    (
        SELECT MAX(part.merged_at)
        FROM merge_slices AS part
        WHERE
            part.table_name = %(table_name)s
            AND part.state = 'merged'
            AND part.from_version = -1
            AND part.detail LIKE '{"rebuild":%%'
    ) AS rebuilt_at
FROM (
    SELECT
        slice_id,
        inserted,
        deleted,
        rows_read = inserted + updated + deleted + duplicates + conflicting + quarantined + overtaken AS adds_up
    FROM merge_slices
    WHERE
        table_name = %(table_name)s
        AND state = 'merged'
        AND (
            (
                from_version >= 0
                OR detail IS NULL
                OR detail NOT LIKE '{"rebuild":%%'
            )
            AND merged_at > COALESCE(
                (
                    SELECT MAX(rebuilt.merged_at)
                    FROM merge_slices AS rebuilt
                    WHERE
                        rebuilt.table_name = %(table_name)s
                        AND rebuilt.state = 'merged'
                        AND rebuilt.from_version = -1
                        AND rebuilt.detail LIKE '{"rebuild":%%'
                ), '1970-01-01'
            )
            OR slice_id IN (
                SELECT MAX(part.slice_id)
                FROM merge_slices AS part
                WHERE
                    part.table_name = %(table_name)s
                    AND part.state = 'merged'
                    AND part.from_version = -1
                    AND part.detail LIKE '{"rebuild":%%'
                    AND part.to_version = (
                        SELECT MAX(newest.to_version)
                        FROM merge_slices AS newest
                        WHERE
                            newest.table_name = %(table_name)s
                            AND newest.state = 'merged'
                            AND newest.from_version = -1
                            AND newest.detail LIKE '{"rebuild":%%'
                    )
                GROUP BY part.detail
            )
        )
) AS slices

-- name:    merge/count_duplicates
-- purpose: Count the spare deliveries whose payload equals the kept one's.
-- grain:   one row
-- reads:   merge_plan, staging_$table, $table
-- writes:  nothing
-- params:  slice_id bigint
-- names:   table, payload

-- GROUP BY, not a join, because it treats two nulls as equal.
SELECT COALESCE(SUM(spares), 0) AS duplicates
FROM (
    SELECT
        event_id,
        $payload,
        SUM(spare) AS spares
    FROM (
        SELECT
            event_id,
            $payload,
            0 AS spare
        FROM $table
        WHERE
            event_id IN (
                SELECT event_id
                FROM merge_plan
                WHERE action = 'spare'
            )
        UNION ALL
        SELECT
            event_id,
            $payload,
            1 AS spare
        FROM staging_$table
        WHERE
            slice_id = %(slice_id)s
            AND row_num IN (
                SELECT row_num
                FROM merge_plan
                WHERE action = 'spare'
            )
    ) AS delivered
    GROUP BY
        event_id,
        $payload
    HAVING MIN(spare) = 0
) AS agreed

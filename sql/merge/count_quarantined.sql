-- name:    merge/count_quarantined
-- purpose: Count quarantined rows of earlier slices whose records (by offset) are also in this slice.
-- grain:   one row
-- reads:   quarantine, staging_$table
-- writes:  nothing
-- params:  slice_id bigint, table_name varchar
-- names:   table

-- New records have new offsets, so usually the count is 0 and no row has to be looked up. Corrections have old offsets.
SELECT COUNT(*) AS quarantined
FROM quarantine AS kept
INNER JOIN (
    SELECT
        kafka_partition,
        MIN(kafka_offset) AS first_offset,
        MAX(kafka_offset) AS last_offset
    FROM staging_$table
    WHERE slice_id = %(slice_id)s
    GROUP BY kafka_partition
) AS staged
    ON
        kept.kafka_partition = staged.kafka_partition
        AND kept.kafka_offset BETWEEN staged.first_offset AND staged.last_offset
WHERE
    kept.table_name = %(table_name)s
    AND kept.slice_id <> %(slice_id)s

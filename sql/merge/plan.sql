-- name:    merge/plan
-- purpose: Decide what becomes of each delivery that a slice changes.
-- grain:   one row per event_id, kafka_partition and kafka_offset
-- reads:   staging_$table, $table
-- writes:  merge_plan
-- params:  slice_id bigint
-- names:   table

-- The kept delivery of an event is the one in the reporting table. Of a delivery that changed several times the latest
-- change counts (an upsert before a delete of the same version: a rewrite). An event that is new, or whose kept delivery
-- goes (is_freed), gets its first delivery; every other delivery is spare.
INSERT INTO merge_plan (
    row_num,
    event_id,
    action
)
SELECT
    row_num,
    event_id,
    CASE
        WHEN is_delete AND is_kept THEN 'delete'
        WHEN is_delete THEN 'ignore'
        WHEN is_kept THEN 'update'
        WHEN place = 1 AND (kept_offset IS NULL OR is_freed) THEN 'insert'
        ELSE 'spare'
    END AS action
FROM (
    SELECT
        matched.row_num,
        matched.event_id,
        matched.is_delete,
        matched.is_kept,
        matched.kept_offset,
        ROW_NUMBER() OVER (
            PARTITION BY matched.event_id
            ORDER BY matched.is_delete, matched.kafka_timestamp, matched.kafka_partition, matched.kafka_offset
        ) AS place,
        MAX(matched.is_delete AND matched.is_kept) OVER (PARTITION BY matched.event_id) AS is_freed
    FROM (
        SELECT
            changed.row_num,
            changed.event_id,
            changed.kafka_timestamp,
            changed.kafka_partition,
            changed.kafka_offset,
            changed.is_delete,
            kept.kafka_offset AS kept_offset,
            COALESCE(
                kept.kafka_partition = changed.kafka_partition
                AND kept.kafka_offset = changed.kafka_offset,
                0
            ) AS is_kept
        FROM (
            SELECT
                row_num,
                event_id,
                kafka_timestamp,
                kafka_partition,
                kafka_offset,
                change_type = 'delete' AS is_delete,
                ROW_NUMBER() OVER (
                    PARTITION BY event_id, kafka_partition, kafka_offset
                    ORDER BY change_version DESC, change_type DESC, row_num ASC
                ) AS recency
            FROM staging_$table
            WHERE slice_id = %(slice_id)s
        ) AS changed
        LEFT JOIN $table AS kept ON changed.event_id = kept.event_id
        WHERE changed.recency = 1
    ) AS matched
) AS ranked

-- name:    merge/plan
-- purpose: Decide the action for each delivery of a slice that is not simply a new event.
-- grain:   one row per delivery that is not a plain insert
-- reads:   staging_$table, staged_repeats, $table
-- writes:  merge_plan
-- params:  slice_id bigint
-- names:   table

-- The kept delivery of an event is the one in the reporting table. If a delivery changed several times, its latest
-- change counts (of one version, an upsert before a delete: a rewrite); the others are overtaken. An event that is new,
-- or whose kept delivery is deleted (is_freed), gets its first delivery; every other delivery is spare. Only events that
-- occur more than once in the slice are sorted: they are rare, and sorting all events took most of the plan's time.
INSERT INTO merge_plan (
    row_num,
    event_id,
    action
)
SELECT
    changed.row_num,
    changed.event_id,
    CASE
        WHEN
            changed.change_type = 'delete' AND kept.kafka_offset = changed.kafka_offset
            AND kept.kafka_partition = changed.kafka_partition THEN 'delete'
        WHEN changed.change_type = 'delete' THEN 'ignore'
        WHEN
            kept.kafka_offset = changed.kafka_offset
            AND kept.kafka_partition = changed.kafka_partition THEN 'update'
        ELSE 'spare'
    END AS action
FROM staging_$table AS changed
LEFT JOIN staged_repeats AS repeated
    ON changed.slice_id = repeated.slice_id AND changed.row_num = repeated.row_num
LEFT JOIN $table AS kept ON changed.event_id = kept.event_id
WHERE
    changed.slice_id = %(slice_id)s
    AND repeated.row_num IS NULL
    AND (kept.event_id IS NOT NULL OR changed.change_type = 'delete')
UNION ALL
SELECT
    row_num,
    event_id,
    action
FROM (
    SELECT
        row_num,
        event_id,
        CASE
            WHEN recency > 1 THEN 'ignore'
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
            matched.recency,
            matched.is_delete,
            matched.is_kept,
            matched.kept_offset,
            ROW_NUMBER() OVER (
                PARTITION BY matched.event_id
                ORDER BY
                    matched.recency > 1,
                    matched.is_delete,
                    matched.kafka_timestamp,
                    matched.kafka_partition,
                    matched.kafka_offset
            ) AS place,
            MAX(matched.recency = 1 AND matched.is_delete AND matched.is_kept)
                OVER (PARTITION BY matched.event_id)
                AS is_freed
        FROM (
            SELECT
                changed.row_num,
                changed.event_id,
                changed.kafka_timestamp,
                changed.kafka_partition,
                changed.kafka_offset,
                changed.change_type = 'delete' AS is_delete,
                kept.kafka_offset AS kept_offset,
                COALESCE(
                    kept.kafka_partition = changed.kafka_partition
                    AND kept.kafka_offset = changed.kafka_offset,
                    0
                ) AS is_kept,
                ROW_NUMBER() OVER (
                    PARTITION BY changed.event_id, changed.kafka_partition, changed.kafka_offset
                    ORDER BY changed.change_version DESC, changed.change_type DESC, changed.row_num ASC
                ) AS recency
            FROM staged_repeats AS repeated
            INNER JOIN staging_$table AS changed
                ON repeated.slice_id = changed.slice_id AND repeated.row_num = changed.row_num
            LEFT JOIN $table AS kept ON changed.event_id = kept.event_id
            WHERE repeated.slice_id = %(slice_id)s
        ) AS matched
    ) AS ranked
) AS decided
WHERE action <> 'insert'

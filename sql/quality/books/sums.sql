-- name:    quality/books/sums
-- purpose: Row counts and checksums of a reporting table's days, in buckets by offset, so that a difference leads to few rows.
-- grain:   one row per day, shard and bucket
-- reads:   $table
-- writes:  nothing
-- params:  shards int, from_hour datetime, to_hour datetime
-- names:   table
SELECT
    hashed.event_date,
    hashed.shard,
    hashed.bucket,
    COUNT(*) AS row_count,
    SUM(hashed.checksum) AS checksum
FROM (
    SELECT
        DATE(occurred_hour) AS event_date,
        CASE
            WHEN %(shards)s = 1 THEN 0
            ELSE CAST(CONV(LEFT(MD5(event_id), 8), 16, 10) AS UNSIGNED) MOD %(shards)s
        END AS shard,
        kafka_offset MOD 256 AS bucket,
        CAST(
            CONV(LEFT(MD5(CONCAT_WS('|', event_id, kafka_partition, kafka_offset)), 8), 16, 10) AS UNSIGNED
        ) AS checksum
    FROM $table
    WHERE
        occurred_hour >= %(from_hour)s
        AND occurred_hour < %(to_hour)s
) AS hashed
GROUP BY
    hashed.event_date,
    hashed.shard,
    hashed.bucket

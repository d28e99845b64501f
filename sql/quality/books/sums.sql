-- name:    quality/books/sums
-- purpose: Row counts and checksums of a reporting table's days, in 256 buckets, so that a difference leads to few rows.
-- grain:   one row per day, shard and bucket
-- reads:   $table
-- writes:  nothing
-- params:  shards int, from_hour datetime, to_hour datetime
-- names:   table
SELECT
    hashed.event_date,
    hashed.shard,
    LEFT(hashed.digest, 2) AS bucket,
    COUNT(*) AS row_count,
    SUM(CAST(CONV(SUBSTRING(hashed.digest, 3, 8), 16, 10) AS UNSIGNED)) AS checksum
FROM (
    SELECT
        DATE(occurred_hour) AS event_date,
        CASE
            WHEN %(shards)s = 1 THEN 0
            ELSE CAST(CONV(LEFT(MD5(event_id), 8), 16, 10) AS UNSIGNED) MOD %(shards)s
        END AS shard,
        MD5(CONCAT_WS('|', event_id, kafka_partition, kafka_offset)) AS digest
    FROM $table
    WHERE
        occurred_hour >= %(from_hour)s
        AND occurred_hour < %(to_hour)s
) AS hashed
GROUP BY
    hashed.event_date,
    hashed.shard,
    LEFT(hashed.digest, 2)

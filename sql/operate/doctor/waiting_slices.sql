-- name:    operate/doctor/waiting_slices
-- purpose: Slices that wait for a person or for their session, with the version that their shard is at.
-- grain:   one row per slice; version is null if the shard is gone
-- reads:   merge_slices, merge_shards
-- writes:  nothing
-- params:  none
SELECT
    waiting.slice_id,
    waiting.table_name,
    waiting.shard,
    waiting.from_version,
    waiting.to_version,
    waiting.state,
    waiting.rows_read,
    shards.version
FROM merge_slices AS waiting
LEFT JOIN merge_shards AS shards
    ON waiting.table_name = shards.table_name AND waiting.shard = shards.shard
WHERE waiting.state IN ('held', 'accepted')
ORDER BY waiting.slice_id ASC

-- name:    quality/books/close_day
-- purpose: Close a day of a table's shard, or close it again.
-- grain:   one row per table, day and shard
-- reads:   nothing
-- writes:  books_days
-- params:  table_name varchar, event_date date, shard int, shards int, day_rows bigint, first_offset bigint, last_offset bigint, lake_rows bigint, in_table bigint, quarantined bigint, repeated bigint, erased bigint, checksum bigint, closed_at datetime
INSERT INTO books_days (
    table_name,
    event_date,
    shard,
    shards,
    day_rows,
    first_offset,
    last_offset,
    lake_rows,
    in_table,
    quarantined,
    repeated,
    erased,
    checksum,
    closed_at
) VALUES (
    %(table_name)s,
    %(event_date)s,
    %(shard)s,
    %(shards)s,
    %(day_rows)s,
    %(first_offset)s,
    %(last_offset)s,
    %(lake_rows)s,
    %(in_table)s,
    %(quarantined)s,
    %(repeated)s,
    %(erased)s,
    %(checksum)s,
    %(closed_at)s
)
ON DUPLICATE KEY UPDATE
    shards = VALUES (shards),
    day_rows = VALUES (day_rows),
    first_offset = VALUES (first_offset),
    last_offset = VALUES (last_offset),
    lake_rows = VALUES (lake_rows),
    in_table = VALUES (in_table),
    quarantined = VALUES (quarantined),
    repeated = VALUES (repeated),
    erased = VALUES (erased),
    checksum = VALUES (checksum),
    closed_at = VALUES (closed_at)

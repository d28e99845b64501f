-- name:    quality/books/closed_days
-- purpose: The closed days of all tables and of the dead letters.
-- grain:   one row per table, day and shard
-- reads:   books_days
-- writes:  nothing
-- params:  none
SELECT
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
FROM books_days

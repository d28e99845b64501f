-- name:    quality/books/close_offsets
-- purpose: Close a range of Kafka offsets: a no-op if another run has closed it.
-- grain:   one row per range
-- reads:   nothing
-- writes:  books_offsets
-- params:  stretch int, kafka_partition int, first_offset bigint, end_offset bigint, kafka_log varchar, landed bigint, dead_letters bigint, without_record bigint, gaps bigint, unverified bigint, lost bigint, is_blurred tinyint, absent blob, lost_offsets text, closed_at datetime
INSERT IGNORE INTO books_offsets (
    stretch,
    kafka_partition,
    first_offset,
    end_offset,
    kafka_log,
    landed,
    dead_letters,
    without_record,
    gaps,
    unverified,
    lost,
    is_blurred,
    absent,
    lost_offsets,
    closed_at
) VALUES (
    %(stretch)s,
    %(kafka_partition)s,
    %(first_offset)s,
    %(end_offset)s,
    %(kafka_log)s,
    %(landed)s,
    %(dead_letters)s,
    %(without_record)s,
    %(gaps)s,
    %(unverified)s,
    %(lost)s,
    %(is_blurred)s,
    %(absent)s,
    %(lost_offsets)s,
    %(closed_at)s
)

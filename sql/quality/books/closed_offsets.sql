-- name:    quality/books/closed_offsets
-- purpose: The closed ranges of Kafka offsets.
-- grain:   one row per range
-- reads:   books_offsets
-- writes:  nothing
-- params:  none
SELECT
    stretch,
    kafka_partition,
    first_offset,
    end_offset,
    landed,
    dead_letters,
    without_record,
    gaps,
    unverified,
    lost,
    is_blurred,
    absent,
    lost_offsets
FROM books_offsets
ORDER BY
    stretch,
    kafka_partition,
    first_offset

-- name:    erase/note_record
-- purpose: Note a record whose row is about to be erased from the lake.
-- grain:   one row per record
-- reads:   nothing
-- writes:  erased_records
-- params:  kafka_log varchar, kafka_partition int, kafka_offset bigint, event_id varchar, event_type varchar, event_date date, erasure_id varchar
INSERT IGNORE INTO erased_records (
    kafka_log,
    kafka_partition,
    kafka_offset,
    event_id,
    event_type,
    event_date,
    erasure_id
) VALUES (
    %(kafka_log)s,
    %(kafka_partition)s,
    %(kafka_offset)s,
    %(event_id)s,
    %(event_type)s,
    %(event_date)s,
    %(erasure_id)s
)

-- name:    merge/quarantine
-- purpose: Insert a row that broke a row rule, with the reasons.
-- grain:   one row per change of the lake
-- reads:   nothing
-- writes:  quarantine
-- params:  slice_id bigint, row_num bigint, table_name varchar, event_id varchar, kafka_partition int, kafka_offset bigint, reason text, row_json text
INSERT INTO quarantine (
    slice_id,
    row_num,
    table_name,
    event_id,
    kafka_partition,
    kafka_offset,
    reason,
    row_json
)
VALUES (
    %(slice_id)s,
    %(row_num)s,
    %(table_name)s,
    %(event_id)s,
    %(kafka_partition)s,
    %(kafka_offset)s,
    %(reason)s,
    %(row_json)s
)

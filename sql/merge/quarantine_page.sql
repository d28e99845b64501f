-- name:    merge/quarantine_page
-- purpose: The quarantined rows of a table that come next, in the order in which they were set aside.
-- grain:   one row per quarantined row
-- reads:   quarantine
-- writes:  nothing
-- params:  table_name varchar, slice_id bigint, row_num bigint, newest bigint, top bigint
SELECT
    slice_id,
    row_num,
    event_id,
    kafka_partition,
    kafka_offset,
    row_json
FROM quarantine
WHERE
    table_name = %(table_name)s
    AND slice_id <= %(newest)s
    AND (slice_id > %(slice_id)s OR (slice_id = %(slice_id)s AND row_num > %(row_num)s))
ORDER BY
    slice_id,
    row_num
LIMIT %(top)s

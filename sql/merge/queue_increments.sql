-- name:    merge/queue_increments
-- purpose: Queue a part of what a slice adds to the rollups and takes from them.
-- grain:   one row per slice and part
-- reads:   nothing
-- writes:  rollup_increments
-- params:  slice_id bigint, part int, table_name varchar, row_count int, increments longblob
INSERT INTO rollup_increments (
    slice_id,
    part,
    table_name,
    row_count,
    increments
)
VALUES (
    %(slice_id)s,
    %(part)s,
    %(table_name)s,
    %(row_count)s,
    %(increments)s
)

-- name:    erase/move
-- purpose: Note how far an erasure is.
-- grain:   one row
-- reads:   nothing
-- writes:  erasures
-- params:  erasure_id varchar, step varchar, version bigint, slice_id bigint, counts mediumtext
UPDATE erasures
SET
    step = %(step)s,
    version = %(version)s,
    slice_id = %(slice_id)s,
    counts = %(counts)s
WHERE
    erasure_id = %(erasure_id)s
    AND finished_at IS NULL

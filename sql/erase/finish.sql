-- name:    erase/finish
-- purpose: Note that an erasure is done and proven.
-- grain:   one row
-- reads:   nothing
-- writes:  erasures
-- params:  erasure_id varchar, receipt mediumtext
UPDATE erasures
SET
    step = 'done',
    receipt = %(receipt)s,
    finished_at = CURRENT_TIMESTAMP(6)
WHERE
    erasure_id = %(erasure_id)s
    AND finished_at IS NULL

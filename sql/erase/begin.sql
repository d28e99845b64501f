-- name:    erase/begin
-- purpose: Note that an erasure begins.
-- grain:   one row
-- reads:   nothing
-- writes:  erasures
-- params:  erasure_id varchar, person_hash char, reason varchar, requested_by varchar, approved_by varchar, erase_pins tinyint, step varchar, counts mediumtext
INSERT INTO erasures (
    erasure_id,
    person_hash,
    reason,
    requested_by,
    approved_by,
    erase_pins,
    step,
    counts
) VALUES (
    %(erasure_id)s,
    %(person_hash)s,
    %(reason)s,
    %(requested_by)s,
    %(approved_by)s,
    %(erase_pins)s,
    %(step)s,
    %(counts)s
)

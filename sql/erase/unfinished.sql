-- name:    erase/unfinished
-- purpose: The erasure of a person that has begun and is not done.
-- grain:   one row, or none
-- reads:   erasures
-- writes:  nothing
-- params:  person_hash char
SELECT
    erasure_id,
    erase_pins,
    step,
    version,
    slice_id,
    counts
FROM erasures
WHERE
    person_hash = %(person_hash)s
    AND finished_at IS NULL
ORDER BY started_at
LIMIT 1

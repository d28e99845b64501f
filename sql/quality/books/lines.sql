-- name:    quality/books/lines
-- purpose: The books as they were last drawn up, or some lines of them.
-- grain:   one row per line
-- reads:   books
-- writes:  nothing
-- params:  scope varchar
SELECT
    name,
    number,
    counts,
    differences,
    is_balanced,
    through_at,
    closed_through
FROM books
WHERE scope = %(scope)s

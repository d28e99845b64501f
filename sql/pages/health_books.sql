-- name:    pages/health_books
-- purpose: Whether the books balance, as they were last drawn up.
-- grain:   at most one row
-- reads:   books
-- writes:  nothing
-- params:  none
SELECT
    counts,
    differences,
    through_at,
    closed_through
FROM books
WHERE scope = 'all'

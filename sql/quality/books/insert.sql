-- name:    quality/books/insert
-- purpose: Insert a line of the books.
-- grain:   one row per line
-- reads:   nothing
-- writes:  books
-- params:  scope varchar, name varchar, number int, counts text, differences text, is_balanced tinyint, through_at datetime, closed_through date
INSERT INTO books (
    scope,
    name,
    number,
    counts,
    differences,
    is_balanced,
    through_at,
    closed_through
) VALUES (
    %(scope)s,
    %(name)s,
    %(number)s,
    %(counts)s,
    %(differences)s,
    %(is_balanced)s,
    %(through_at)s,
    %(closed_through)s
)

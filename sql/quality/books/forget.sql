-- name:    quality/books/forget
-- purpose: Delete the lines of the books before the new ones are inserted, in the same transaction.
-- grain:   one row per line
-- reads:   nothing
-- writes:  books
-- params:  none
DELETE FROM books

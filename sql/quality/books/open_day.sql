-- name:    quality/books/open_day
-- purpose: Open a closed day of a table again: its rows are no longer those that were explained.
-- grain:   one row per table and day
-- reads:   nothing
-- writes:  books_days
-- params:  table_name varchar, event_date date
DELETE FROM books_days
WHERE
    table_name = %(table_name)s
    AND event_date = %(event_date)s

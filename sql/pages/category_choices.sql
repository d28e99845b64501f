-- name:    pages/category_choices
-- purpose: The categories in a filter: those with events since a time.
-- grain:   one row per category, by name
-- reads:   category_hourly
-- writes:  nothing
-- params:  from_time datetime
SELECT DISTINCT category
FROM category_hourly
WHERE hour >= %(from_time)s AND category <> '(none)'
ORDER BY category ASC
LIMIT 500

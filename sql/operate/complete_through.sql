-- name:    operate/complete_through
-- purpose: The time up to which each reporting table is complete.
-- grain:   one row per reporting table
-- reads:   complete_through
-- writes:  nothing
-- params:  none
SELECT
    table_name,
    complete_through_utc,
    age_seconds,
    newest_utc
FROM complete_through
ORDER BY table_name ASC

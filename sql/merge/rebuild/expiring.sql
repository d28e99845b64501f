-- name:    merge/rebuild/expiring
-- purpose: Whether a reporting table still has rows that retention is about to take away.
-- grain:   one row
-- reads:   $table
-- writes:  nothing
-- params:  kept_from date
-- names:   table
SELECT EXISTS(
    SELECT 1
    FROM $table
    WHERE occurred_hour < %(kept_from)s
) AS is_expiring

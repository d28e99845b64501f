-- name:    rollup/add_minutes
-- purpose: Add repins to the minutes that the trends are computed from.
-- grain:   one row per minute, kind and item
-- reads:   added_repin_minutes
-- writes:  repin_minutes
-- params:  none
INSERT INTO repin_minutes (
    minute,
    kind,
    item,
    repins,
    newest_at
)
SELECT
    minute,
    kind,
    item,
    repins,
    newest_at
FROM added_repin_minutes
ON DUPLICATE KEY UPDATE
    repins = repin_minutes.repins + VALUES (repins),
    newest_at = GREATEST(COALESCE(repin_minutes.newest_at, VALUES (newest_at)), VALUES (newest_at))

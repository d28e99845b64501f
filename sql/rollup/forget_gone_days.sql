-- name:    rollup/forget_gone_days
-- purpose: Do not make days anew whose rows are gone: their rollups would be zero.
-- grain:   one row per day
-- reads:   retention
-- writes:  stale_days
-- params:  none
DELETE FROM stale_days
WHERE
    day < (
        SELECT MAX(kept_from)
        FROM retention
        WHERE store = 'events'
    )

-- name:    operate/retention/move
-- purpose: Keep a store's rows from this day on, or from a later one if that was decided before.
-- grain:   one row per store
-- reads:   nothing
-- writes:  retention
-- params:  store varchar, kept_from date
INSERT INTO retention (store, kept_from)
VALUES (%(store)s, %(kept_from)s)
ON DUPLICATE KEY UPDATE
    kept_from = GREATEST(kept_from, VALUES (kept_from)),
    moved_at = CURRENT_TIMESTAMP(6)

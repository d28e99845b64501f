-- name:    rollup/trends/clear
-- purpose: Delete the current trends, before they are scored again.
-- grain:   one row per kind and item
-- reads:   trends
-- writes:  trends
-- params:  none
DELETE FROM trends

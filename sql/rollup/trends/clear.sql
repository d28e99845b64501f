-- name:    rollup/trends/clear
-- purpose: Make room for what is trending now.
-- grain:   one row per kind and item
-- reads:   trends
-- writes:  trends
-- params:  none
DELETE FROM trends

-- name:    rollup/claim
-- purpose: Compare-and-set the number of refreshes: changes no row if another process has refreshed.
-- grain:   one row
-- reads:   nothing
-- writes:  rollup_generation
-- params:  generation bigint
UPDATE rollup_generation
SET generation = generation + 1
WHERE generation = %(generation)s

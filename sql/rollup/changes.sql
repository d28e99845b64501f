-- name:    rollup/changes
-- purpose: Create an empty work table of this connection, for what a refresh adds to a rollup or takes from it.
-- grain:   one row per bucket
-- reads:   $rollup
-- writes:  ${how}_$rollup
-- params:  none
-- names:   how, rollup, columns
DROP TEMPORARY TABLE IF EXISTS ${how}_$rollup;

CREATE TEMPORARY TABLE ${how}_$rollup AS
SELECT $columns
FROM $rollup
WHERE FALSE;

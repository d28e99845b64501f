-- name:    rollup/added
-- purpose: Create an empty work table of this connection, for what a refresh adds to a rollup.
-- grain:   one row per bucket
-- reads:   $rollup
-- writes:  added_$rollup
-- params:  none
-- names:   rollup, columns
DROP TEMPORARY TABLE IF EXISTS added_$rollup;

CREATE TEMPORARY TABLE added_$rollup AS
SELECT $columns
FROM $rollup
WHERE FALSE;

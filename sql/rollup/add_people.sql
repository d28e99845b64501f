-- name:    rollup/add_people
-- purpose: Set the bits of people who came, and clear those of people who left.
-- grain:   one row per day or hour, and 64 people
-- reads:   came_$rollup, left_$rollup
-- writes:  $rollup
-- params:  none
-- names:   rollup, time_column
INSERT INTO $rollup (
    $time_column,
    chunk,
    bits
)
SELECT
    $time_column,
    chunk,
    bits
FROM came_$rollup
ON DUPLICATE KEY UPDATE bits = $rollup.bits | VALUES (bits);

UPDATE $rollup AS kept
INNER JOIN left_$rollup AS gone ON kept.$time_column = gone.$time_column AND kept.chunk = gone.chunk
SET kept.bits = kept.bits & ~gone.bits;

DELETE kept FROM $rollup AS kept
INNER JOIN left_$rollup AS gone ON kept.$time_column = gone.$time_column AND kept.chunk = gone.chunk
WHERE kept.bits = 0;

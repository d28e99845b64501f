-- name:    rollup/number_people
-- purpose: Store a block of people's numbers.
-- grain:   one row per block of 8192 people
-- reads:   nothing
-- writes:  people
-- params:  block int, user_ids mediumblob
INSERT INTO people (block, user_ids)
VALUES (%(block)s, %(user_ids)s)
ON DUPLICATE KEY UPDATE user_ids = VALUES (user_ids)

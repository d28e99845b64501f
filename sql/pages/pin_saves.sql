-- name:    pages/pin_saves
-- purpose: Count the different boards that a pin was saved to in some hours, and the people who saved it.
-- grain:   one row
-- reads:   repins
-- writes:  nothing
-- params:  pin_id bigint, hours list of datetime, all_brands tinyint, brands bigint list

-- The index by_hour finds a pin's rows of each hour; the board and the brand are in the row itself.
SELECT
    COUNT(DISTINCT board_id) AS boards,
    COUNT(DISTINCT user_id) AS people
FROM repins
WHERE
    occurred_hour IN %(hours)s
    AND pin_id = %(pin_id)s
    AND (%(all_brands)s = 1 OR brand_id IN %(brands)s)

-- name:    enrich/load
-- purpose: Save full pins from a file on the client; an existing row of a pin is replaced.
-- grain:   one row per pin_id
-- reads:   nothing
-- writes:  pin_cache
-- params:  path varchar

-- noqa: disable=PRS
LOAD DATA LOCAL INFILE %(path)s
REPLACE INTO TABLE pin_cache
CHARACTER SET utf8mb4
FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
LINES TERMINATED BY '\n'
(pin_id, creator_id, board_id, brand_id, category, title, description, link, image_url, created_at)

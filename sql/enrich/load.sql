-- name:    enrich/load
-- purpose: Load full pins from a file on the client; the rows of pins that the table has stay as they are.
-- grain:   one row per pin_id
-- reads:   nothing
-- writes:  $table
-- params:  path varchar
-- names:   table, columns

-- noqa: disable=PRS
LOAD DATA LOCAL INFILE %(path)s
--mariadb: IGNORE
--singlestore: SKIP DUPLICATE KEY ERRORS
INTO TABLE $table
CHARACTER SET utf8mb4
FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
LINES TERMINATED BY '\n'
($columns)

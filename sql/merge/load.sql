-- name:    merge/load
-- purpose: Load a file on the client into a table.
-- grain:   one row per line
-- reads:   nothing
-- writes:  $table
-- params:  path varchar
-- names:   table, columns

-- noqa: disable=PRS
LOAD DATA LOCAL INFILE %(path)s
INTO TABLE $table
CHARACTER SET utf8mb4
FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
LINES TERMINATED BY '\n'
($columns)

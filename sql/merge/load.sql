-- name:    merge/load
-- purpose: Load a slice's changes from a file on the client.
-- grain:   one row per staged change
-- reads:   nothing
-- writes:  staging_$table
-- params:  path varchar, slice_id bigint
-- names:   table, columns

-- noqa: disable=PRS
LOAD DATA LOCAL INFILE %(path)s
INTO TABLE staging_$table
CHARACTER SET utf8mb4
FIELDS TERMINATED BY '\t' ESCAPED BY '\\'
LINES TERMINATED BY '\n'
(row_num, change_version, change_type, $columns)
SET slice_id = %(slice_id)s

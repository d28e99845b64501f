-- name:    schema/0019_parts_of_rebuilds
-- purpose: Parts of a rebuild are loaded in any order, so that a Spark job can load several at once.
-- grain:   rebuilds has one row per table that is made anew, rebuild_parts one per part that is loaded
-- reads:   nothing
-- writes:  rebuilds, rebuild_parts
-- params:  none

-- A rebuild that is going on is forgotten: how many parts it has loaded does not say which. It is asked for again, by
-- the table's session or by the person whom the alert table_cut_off tells to.
DROP TABLE IF EXISTS rebuilds;

CREATE TABLE IF NOT EXISTS rebuilds (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table that is made anew from the lake',
    version BIGINT NOT NULL COMMENT 'Lake version that it is read from; kept until it is done',
    part_rows BIGINT NOT NULL COMMENT 'About how many rows a part has',
    loader VARCHAR(16) NOT NULL COMMENT 'What loads the parts: session or spark',
    state VARCHAR(16) NOT NULL COMMENT 'requested, then loading, then exchanging',
    requested_by VARCHAR(255) NOT NULL COMMENT 'Person or program that asked for it',
    requested_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (table_name),
    PRIMARY KEY (table_name)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Reporting tables that are being made anew; the merge of the table does it';

CREATE TABLE IF NOT EXISTS rebuild_parts (
    table_name VARCHAR(64) NOT NULL COMMENT 'Reporting table that is made anew from the lake',
    part INT NOT NULL COMMENT 'Number of the part, from 0',
    loaded_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (table_name, part),
    PRIMARY KEY (table_name, part)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Parts of running rebuilds that are in the new table';

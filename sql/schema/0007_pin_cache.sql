-- name:    schema/0007_pin_cache
-- purpose: The key/value cache of full pins that the stream looks up.
-- grain:   one row per pin_id
-- reads:   nothing
-- writes:  pin_cache
-- params:  none

CREATE TABLE IF NOT EXISTS pin_cache (
    pin_id BIGINT NOT NULL COMMENT 'The pin',
    creator_id BIGINT COMMENT 'The person who made the pin',
    board_id BIGINT COMMENT 'The board the pin was made on',
    brand_id BIGINT COMMENT 'The brand the pin belongs to',
    category VARCHAR(64) COMMENT 'Category of the pin, e.g. travel',
    title VARCHAR(500) COMMENT 'Title as written by its creator',
    description VARCHAR(5000) COMMENT 'Description as written by its creator',
    link VARCHAR(2048) COMMENT 'Page the pin leads to',
    image_url VARCHAR(2048) COMMENT 'Image of the pin',
    created_at DATETIME(6) COMMENT 'When the pin was made, UTC',
    fetched_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the row was saved here, UTC',
    --singlestore: SHARD KEY (pin_id),
    PRIMARY KEY (pin_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Full pins by id; filled by the stream, the Pin API and the merge of pins';

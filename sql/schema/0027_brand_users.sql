-- name:    schema/0027_brand_users
-- purpose: Which users of Airflow see only some brands.
-- grain:   one row per user and brand
-- reads:   nothing
-- writes:  brand_users
-- params:  none

CREATE TABLE IF NOT EXISTS brand_users (
    user_name VARCHAR(255) NOT NULL COMMENT 'The user, as Airflow''s auth manager names them',
    brand_id BIGINT NOT NULL COMMENT 'A brand that they see',
    reason VARCHAR(255) NOT NULL COMMENT 'Why, in the words of the person who bound them',
    bound_by VARCHAR(255) NOT NULL COMMENT 'That person',
    bound_at DATETIME(6) NOT NULL COMMENT 'Since when, UTC',
    --singlestore: SHARD KEY (user_name),
    PRIMARY KEY (user_name, brand_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Users of Airflow who see only these brands; written by the Dag bind_user';

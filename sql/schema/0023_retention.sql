-- name:    schema/0023_retention
-- purpose: From which day on rows are kept, the logins that are counted but no longer kept, and doubtful answers.
-- grain:   one row per key of each table
-- reads:   nothing
-- writes:  retention, expired_logins, alert_messages
-- params:  none

CREATE TABLE IF NOT EXISTS retention (
    store VARCHAR(16) NOT NULL COMMENT 'events: the reporting tables; presence, lake, or dead_letters',
    kept_from DATE NOT NULL COMMENT 'UTC day: rows of earlier days are gone, or about to go; moves forward only',
    moved_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'UTC',
    --singlestore: SHARD KEY (store),
    PRIMARY KEY (store)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'From which day on a store has all rows; the rollups of earlier days stay as they are';

CREATE TABLE IF NOT EXISTS expired_logins (
    user_id BIGINT NOT NULL COMMENT 'The person who acted',
    country_code VARCHAR(2) NOT NULL COMMENT 'ISO 3166-1 alpha-2 code of the country; ZZ when unknown',
    logins BIGINT NOT NULL COMMENT 'Logins from there whose rows are no longer kept, count',
    --singlestore: SHARD KEY (user_id, country_code),
    PRIMARY KEY (user_id, country_code)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'What person_homes counts besides the rows of logins';

--mariadb: ALTER TABLE alert_messages
--mariadb: ADD COLUMN IF NOT EXISTS doubtful INT NOT NULL DEFAULT 0
--mariadb: COMMENT 'Answers that said neither refused nor later, count; the message is given up after 8';
--singlestore: ALTER TABLE alert_messages
--singlestore: ADD COLUMN doubtful INT NOT NULL DEFAULT 0
--singlestore: COMMENT 'Answers that said neither refused nor later, count; the message is given up after 8';

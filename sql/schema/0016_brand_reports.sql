-- name:    schema/0016_brand_reports
-- purpose: The brand reports that were made: where each revision is, what it says, and what changed since the one before.
-- grain:   one row per brand, period and revision
-- reads:   nothing
-- writes:  brand_reports
-- params:  none

CREATE TABLE IF NOT EXISTS brand_reports (
    brand_id BIGINT NOT NULL COMMENT 'The brand; its name is in brands',
    first_day DATE NOT NULL COMMENT 'First UTC day of the period',
    days INT NOT NULL COMMENT 'Length of the period in days: 1 is a daily report, 7 a weekly one',
    revision INT NOT NULL COMMENT '1 for the first; each later one says something else than the one before',
    made_at DATETIME(6) NOT NULL COMMENT 'When it was made, UTC',
    read_at DATETIME(
        6
    ) NOT NULL COMMENT 'When its numbers were about to be read, UTC; what was merged later is not in it',
    complete_through DATETIME(6) COMMENT 'Everything that Kafka had received by then is in it, UTC; null: not known',
    is_complete TINYINT NOT NULL COMMENT '1 when that is not before the end of the period',
    verdict VARCHAR(16) NOT NULL COMMENT 'Data quality of the period: passed, warning, failed or unchecked',
    engagement BIGINT NOT NULL COMMENT 'Repins and comments of the period, count',
    engagement_before BIGINT NOT NULL COMMENT 'The same of the period before, as long, count',
    unique_people BIGINT NOT NULL COMMENT 'Different people who pinned, repinned or commented, count',
    change_count INT NOT NULL COMMENT 'Numbers that are not those of the revision before; 0 for the first',
    changes MEDIUMTEXT NOT NULL COMMENT 'JSON list: those numbers, before and after, the first 100',
    numbers MEDIUMTEXT NOT NULL COMMENT 'JSON object: all its numbers; the next revision is compared with them',
    digest CHAR(64) NOT NULL COMMENT 'SHA-256 of what it says; the same again is no new revision',
    folder VARCHAR(255) NOT NULL COMMENT 'Where its files are, in the reports folder',
    mail VARCHAR(16) NOT NULL COMMENT 'due, sent, or none: nobody to tell, or too little changed',
    mailed_at DATETIME(6) COMMENT 'When the mail server took it, UTC; null until then',
    --mariadb: KEY by_period (first_day, days, brand_id, revision),
    --mariadb: KEY by_mail (mail, first_day),
    --singlestore: SHARD KEY (brand_id),
    PRIMARY KEY (brand_id, first_day, days, revision)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'The brand reports that were made, every revision';

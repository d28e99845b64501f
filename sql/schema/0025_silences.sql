-- name:    schema/0025_silences
-- purpose: Which alerts nobody is to be woken by for a while, and which open ones nobody has been sent for that reason.
-- grain:   one row per silence; a column of alerts
-- reads:   nothing
-- writes:  alert_silences, alerts
-- params:  none

CREATE TABLE IF NOT EXISTS alert_silences (
    silence_id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'The silence',
    name VARCHAR(64) NOT NULL COMMENT 'The alert, e.g. slice_held',
    subject VARCHAR(255) NOT NULL COMMENT 'What the alert is about, e.g. a table; empty: whatever it is about',
    reason VARCHAR(255) NOT NULL COMMENT 'Why, in the words of the person',
    silenced_by VARCHAR(255) NOT NULL COMMENT 'The person',
    silenced_at DATETIME(6) NOT NULL COMMENT 'From when on, UTC',
    until_at DATETIME(6) NOT NULL COMMENT 'Until when, UTC; ended earlier: that time',
    --singlestore: SHARD KEY (silence_id),
    PRIMARY KEY (silence_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Alerts that are stored and shown, but not sent, for a while';

--mariadb: ALTER TABLE alerts
--mariadb: ADD COLUMN IF NOT EXISTS is_sent TINYINT NOT NULL DEFAULT 1
--mariadb: COMMENT '0: it was silenced when it was raised, and nobody has been sent it';
--singlestore: ALTER TABLE alerts
--singlestore: ADD COLUMN is_sent TINYINT NOT NULL DEFAULT 1
--singlestore: COMMENT '0: it was silenced when it was raised, and nobody has been sent it';

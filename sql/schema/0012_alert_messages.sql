-- name:    schema/0012_alert_messages
-- purpose: What people are to be told, until each receiver has it; and a row to lock, so that one tells of an alert.
-- grain:   one row per message and receiver
-- reads:   nothing
-- writes:  alert_messages, merge_locks
-- params:  none

CREATE TABLE IF NOT EXISTS alert_messages (
    message_id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'The message; a receiver gets them in this order',
    receiver VARCHAR(64) NOT NULL COMMENT 'Kind of service and a digest of its URL, which is a secret',
    title VARCHAR(512) NOT NULL COMMENT 'Severity or RESOLVED, alert and subject',
    body TEXT NOT NULL COMMENT 'What happened, when, what to do',
    posted_at DATETIME(6) NOT NULL COMMENT 'When it was to be told, UTC',
    attempts INT NOT NULL DEFAULT 0 COMMENT 'How often it was sent, or is being sent now',
    next_try_at DATETIME(6) NOT NULL COMMENT 'Not sent again before, UTC',
    delivered_at DATETIME(6) COMMENT 'When the receiver took it, UTC; null until then',
    given_up_at DATETIME(6) COMMENT 'When it was given up, UTC; null otherwise',
    --mariadb: KEY waiting (receiver, delivered_at, given_up_at, message_id),
    --singlestore: SHARD KEY (message_id),
    PRIMARY KEY (message_id)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Alerts and recoveries on their way to the Apprise URLs';

INSERT IGNORE INTO merge_locks (name) VALUES ('alerts');

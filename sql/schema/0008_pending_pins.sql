-- name:    schema/0008_pending_pins
-- purpose: Which pins rows of the lake still wait for, so that late completion need not scan the lake.
-- grain:   one row per pin_id and day of the rows that wait
-- reads:   nothing
-- writes:  pending_pins
-- params:  none

CREATE TABLE IF NOT EXISTS pending_pins (
    pin_id BIGINT NOT NULL COMMENT 'The pin that could not be had when the rows landed',
    event_date DATE NOT NULL COMMENT 'UTC day of occurred_at of the rows that wait: their partition of the lake',
    noted_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When the first of them was merged, UTC',
    --singlestore: SHARD KEY (pin_id),
    PRIMARY KEY (pin_id, event_date)
)
--mariadb: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_nopad_bin
--singlestore: DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin
COMMENT = 'Pins that rows of the lake wait for; written by the merge, emptied by complete_pins';

-- name:    alerts/doubtful
-- purpose: Count an answer to a message that says neither that it is refused nor that it is taken later.
-- grain:   one row
-- reads:   nothing
-- writes:  alert_messages
-- params:  message_id bigint
UPDATE alert_messages
SET doubtful = doubtful + 1
WHERE message_id = %(message_id)s

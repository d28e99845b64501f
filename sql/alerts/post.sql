-- name:    alerts/post
-- purpose: Queue a message for a receiver.
-- grain:   one row per message and receiver
-- reads:   nothing
-- writes:  alert_messages
-- params:  receiver varchar, title varchar, body text, now datetime
INSERT INTO alert_messages (receiver, title, body, posted_at, next_try_at)
VALUES (%(receiver)s, %(title)s, %(body)s, %(now)s, %(now)s)

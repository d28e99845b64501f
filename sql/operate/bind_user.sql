-- name:    operate/bind_user
-- purpose: Bind a user to a brand.
-- grain:   one row per user and brand
-- reads:   nothing
-- writes:  brand_users
-- params:  user_name varchar, brand_id bigint, reason varchar, bound_by varchar, now datetime
INSERT INTO brand_users (user_name, brand_id, reason, bound_by, bound_at)
VALUES (%(user_name)s, %(brand_id)s, %(reason)s, %(bound_by)s, %(now)s)

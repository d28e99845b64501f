-- name:    operate/unbind_user
-- purpose: Take away all brands of a user.
-- grain:   one row per user and brand
-- reads:   nothing
-- writes:  brand_users
-- params:  user_name varchar
DELETE FROM brand_users
WHERE user_name = %(user_name)s

-- name:    pages/brand_users
-- purpose: The users who see only some brands.
-- grain:   one row per user and brand
-- reads:   brand_users, brands
-- writes:  nothing
-- params:  none
SELECT
    bound.user_name,
    bound.brand_id,
    brand.name,
    bound.reason,
    bound.bound_by,
    bound.bound_at
FROM brand_users AS bound
LEFT JOIN brands AS brand ON bound.brand_id = brand.brand_id
ORDER BY
    bound.user_name,
    bound.brand_id

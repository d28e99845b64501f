-- name:    generate/upsert_brands
-- purpose: Save a brand's name and contact; an existing row of the brand is replaced.
-- grain:   one row per brand_id
-- reads:   nothing
-- writes:  brands
-- params:  brand_id bigint, name varchar, contact varchar
INSERT INTO brands (
    brand_id,
    name,
    contact
)
VALUES (
    %(brand_id)s,
    %(name)s,
    %(contact)s
)
ON DUPLICATE KEY UPDATE
    name = VALUES (name),
    contact = VALUES (contact)

-- name:    schema/0029_brand_index
-- purpose: Let a brand's top pins and categories be read from the index by brand alone, as its people and countries are.
-- grain:   no rows
-- reads:   nothing
-- writes:  repins, comments
-- params:  none

-- Else each row is looked up by its key, which is random.
--mariadb: DROP INDEX IF EXISTS by_brand_hour ON repins;
--mariadb: CREATE INDEX by_brand_hour ON repins (brand_id, occurred_hour, country_code, user_id, pin_id, category);

--mariadb: DROP INDEX IF EXISTS by_brand_hour ON comments;
--mariadb: CREATE INDEX by_brand_hour ON comments (brand_id, occurred_hour, country_code, user_id, pin_id, category);

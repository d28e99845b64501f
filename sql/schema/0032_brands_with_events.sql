-- name:    schema/0032_brands_with_events
-- purpose: Let the brands with events, and the first day with any, be read from indexes: the pages ask for both again and again.
-- grain:   no rows
-- reads:   nothing
-- writes:  brand_daily
-- params:  none

-- MariaDB skips from brand to brand in an index, but not in the table itself.
--mariadb: CREATE INDEX IF NOT EXISTS by_brand ON brand_daily (brand_id);
--mariadb: CREATE INDEX IF NOT EXISTS by_day ON brand_daily (day);

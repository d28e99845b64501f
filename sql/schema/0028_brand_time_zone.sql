-- name:    schema/0028_brand_time_zone
-- purpose: The time zone of a brand, whose days its reports and its page follow, and that of each report.
-- grain:   no rows
-- reads:   nothing
-- writes:  brands, brand_reports, view_columns
-- params:  none

--mariadb: ALTER TABLE brands
--mariadb: ADD COLUMN IF NOT EXISTS time_zone VARCHAR(64) NOT NULL DEFAULT 'UTC'
--mariadb: COMMENT 'IANA name of the time zone whose days its reports and its page have; set by set_time_zone';
--singlestore: ALTER TABLE brands
--singlestore: ADD COLUMN time_zone VARCHAR(64) NOT NULL DEFAULT 'UTC'
--singlestore: COMMENT 'IANA name of the time zone whose days its reports and its page have; set by set_time_zone';

-- Not in the primary key, which SingleStore can't change: revisions are numbered over all zones of a period, and each is
-- compared with the newest one before it in the same zone.
--mariadb: ALTER TABLE brand_reports
--mariadb: ADD COLUMN IF NOT EXISTS time_zone VARCHAR(64) NOT NULL DEFAULT 'UTC'
--mariadb: COMMENT 'IANA name of the time zone whose days first_day and days are';
--singlestore: ALTER TABLE brand_reports
--singlestore: ADD COLUMN time_zone VARCHAR(64) NOT NULL DEFAULT 'UTC'
--singlestore: COMMENT 'IANA name of the time zone whose days first_day and days are';

UPDATE view_columns
SET meaning = 'UTC day, whatever time zone the brand has'
WHERE column_name = 'day_utc' AND view_name IN ('brand_engagement_daily', 'brand_country_engagement_daily');

-- name:    schema/0030_people_of_reports
-- purpose: The people of a report are those who engaged; those who made pins are counted apart, in its numbers.
-- grain:   no rows
-- reads:   nothing
-- writes:  brand_reports
-- params:  none

--mariadb: ALTER TABLE brand_reports
--mariadb: MODIFY COLUMN unique_people BIGINT NOT NULL
--mariadb: COMMENT 'Different people who repinned or commented, count; of older versions also those who pinned';

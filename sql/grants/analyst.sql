-- name:    grants/analyst
-- purpose: Let analysts read tables next to the reporting tables; not staging, quarantine, alerts, ledger. Needs the schema.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database
GRANT SELECT ON $database.brands TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.pin_cache TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.brand_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.brand_daily TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.brand_country_daily TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.category_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.country_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.pin_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.pin_firsts TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.people_daily TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.people_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.person_homes TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.clock_hours TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.view_columns TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.engagement TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.brand_engagement_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.brand_engagement_daily TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.brand_country_engagement_daily TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.category_engagement_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.country_engagement_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.pin_engagement_hourly TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.pin_first_repins TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.people_daily_counts TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.people_homes TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.complete_through TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.repin_minutes TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.trending TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.merge_ledger TO 'pinwheel_analyst'@%(host)s;
GRANT SELECT ON $database.data_dictionary TO 'pinwheel_analyst'@%(host)s;

-- name:    grants/merge
-- purpose: What Airflow's tasks change besides the reporting tables; UPDATE is wherever an erasure may find a person in a text.
-- grain:   a right
-- reads:   nothing
-- writes:  nothing
-- params:  host
-- names:   database

-- Older versions granted these on all tables. Revoked first: should it end here, the next start grants what is missing.
REVOKE INSERT, UPDATE, DELETE, SHOW VIEW ON $database.* FROM 'pinwheel_merge'@%(host)s;

GRANT INSERT, UPDATE, DELETE ON $database.alert_messages TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.alert_silences TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.alerts TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.books TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.books_days TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE ON $database.books_offsets TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.brand_country_daily TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.brand_daily TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.brand_hourly TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.brand_reports TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.brand_users TO 'pinwheel_merge'@%(host)s;
GRANT UPDATE ON $database.brands TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.category_hourly TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.country_hourly TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.dq_profiles TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.dq_results TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE ON $database.erased_records TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE ON $database.erasures TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.expired_logins TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.health TO 'pinwheel_merge'@%(host)s;
GRANT UPDATE ON $database.merge_locks TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.merge_shards TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE ON $database.merge_slices TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.pending_pins TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE ON $database.people TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.people_daily TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.people_hourly TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.person_homes TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.pin_cache TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.pin_firsts TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.pin_hourly TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.presence TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.quarantine TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.rebuild_parts TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.rebuilds TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.repin_minutes TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE ON $database.retention TO 'pinwheel_merge'@%(host)s;
GRANT UPDATE ON $database.rollup_generation TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.rollup_increments TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.shard_progress TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.stale_days TO 'pinwheel_merge'@%(host)s;
GRANT INSERT, UPDATE, DELETE ON $database.trends TO 'pinwheel_merge'@%(host)s;

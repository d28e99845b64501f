-- name:    quality/note_stale_row
-- purpose: Note a row whose increment is queued.
-- grain:   one row per queued increment
-- reads:   nothing
-- writes:  stale_rows
-- params:  table_name varchar, occurred_hour datetime(6), user_id bigint, pin_id bigint, brand_id bigint, category varchar, country_code varchar
INSERT INTO stale_rows (
    table_name,
    occurred_hour,
    user_id,
    pin_id,
    brand_id,
    category,
    country_code
)
VALUES (
    %(table_name)s,
    %(occurred_hour)s,
    %(user_id)s,
    %(pin_id)s,
    %(brand_id)s,
    %(category)s,
    %(country_code)s
)

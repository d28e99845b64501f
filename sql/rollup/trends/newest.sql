-- name:    rollup/trends/newest
-- purpose: The time of the newest repin, and the last merge that noted a minute.
-- grain:   one row; null if there is none
-- reads:   repins, touched_minutes
-- writes:  nothing
-- params:  now_time datetime
SELECT
    (
        SELECT MAX(occurred_at)
        FROM repins
        WHERE occurred_at <= %(now_time)s
    ) AS as_of,
    (
        SELECT MAX(slice_id)
        FROM touched_minutes
    ) AS slice_id

-- name:    pages/health_history
-- purpose: The worst value of a measure in each part of a time, of a rate the lowest; subjects are named because the key begins with them.
-- grain:   one row per measure and part
-- reads:   health
-- writes:  nothing
-- params:  measures list of varchar, subjects list of varchar, from_time datetime, to_time datetime, seconds int
SELECT
    measure,
    FLOOR(TIMESTAMPDIFF(SECOND, %(from_time)s, measured_at) / %(seconds)s) AS part,
    CASE WHEN measure = 'landed_per_second' THEN MIN(value) ELSE MAX(value) END AS value,
    MAX(max_value) AS max_value
FROM health
WHERE
    measure IN %(measures)s
    AND subject IN %(subjects)s
    AND measured_at >= %(from_time)s
    AND measured_at < %(to_time)s
GROUP BY
    measure,
    FLOOR(TIMESTAMPDIFF(SECOND, %(from_time)s, measured_at) / %(seconds)s)

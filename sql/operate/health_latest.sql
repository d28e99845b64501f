-- name:    operate/health_latest
-- purpose: The newest value of every measure.
-- grain:   one row per measure and subject
-- reads:   health
-- writes:  nothing
-- params:  none
SELECT
    told.measure,
    told.subject,
    told.value,
    told.max_value,
    told.is_well,
    told.measured_at
FROM (
    SELECT
        measure,
        subject,
        MAX(measured_at) AS measured_at
    FROM health
    GROUP BY
        measure,
        subject
) AS newest
INNER JOIN health AS told
    ON newest.measure = told.measure AND newest.subject = told.subject AND newest.measured_at = told.measured_at
ORDER BY
    told.measure ASC,
    told.subject ASC

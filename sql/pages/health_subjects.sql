-- name:    pages/health_subjects
-- purpose: What measures of health are about.
-- grain:   one row per measure and subject
-- reads:   health
-- writes:  nothing
-- params:  measures list of varchar
SELECT DISTINCT subject
FROM health
WHERE measure IN %(measures)s

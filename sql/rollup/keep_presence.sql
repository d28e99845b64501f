-- name:    rollup/keep_presence
-- purpose: Store a bucket of people: all of it, or if planes is null, its newest changes.
-- grain:   one row per bucket
-- reads:   nothing
-- writes:  presence
-- params:  scope varchar, item varchar, day date, planes longblob, recent mediumblob
INSERT INTO presence (scope, item, day, planes, recent)
VALUES (%(scope)s, %(item)s, %(day)s, %(planes)s, %(recent)s)
ON DUPLICATE KEY UPDATE
    recent = CASE WHEN VALUES (planes) IS NULL THEN CONCAT(recent, VALUES (recent)) ELSE '' END,
    planes = COALESCE(VALUES (planes), planes)

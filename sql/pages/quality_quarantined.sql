-- name:    pages/quality_quarantined
-- purpose: The newest quarantined rows of tables that readers see, with the reason and the beginning of the row.
-- grain:   one row per quarantined row, newest first
-- reads:   quarantine
-- writes:  nothing
-- params:  top int
SELECT
    table_name,
    event_id,
    quarantined_at,
    LEFT(reason, 500) AS reason,
    LEFT(row_json, 2000) AS row_json
FROM quarantine
WHERE table_name NOT LIKE 'rebuilt%%'
ORDER BY
    quarantined_at DESC,
    slice_id DESC,
    row_num DESC
LIMIT %(top)s

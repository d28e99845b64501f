-- name:    operate/merge_recent
-- purpose: The rows judged and merged recently, from the ledger's newest rows.
-- grain:   one row per reporting table with a recent slice
-- reads:   merge_slices
-- writes:  nothing
-- params:  from_time datetime, slices int
SELECT
    table_name,
    SUM(CASE WHEN audited_at >= %(from_time)s THEN rows_read ELSE 0 END) AS judged,
    SUM(CASE WHEN state = 'merged' AND merged_at >= %(from_time)s THEN rows_read ELSE 0 END) AS merged,
    MAX(audited_at) AS audited_at,
    MAX(CASE WHEN state = 'merged' THEN merged_at END) AS merged_at,
    SUM(CASE WHEN state = 'accepted' THEN 1 ELSE 0 END) AS slices_open
FROM merge_slices
WHERE slice_id > (SELECT MAX(newest.slice_id) FROM merge_slices AS newest) - %(slices)s
GROUP BY table_name

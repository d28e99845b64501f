-- name:    merge/count_actions
-- purpose: Count the planned deliveries by action.
-- grain:   one row per action
-- reads:   merge_plan
-- writes:  nothing
-- params:  none
SELECT
    action,
    COUNT(*) AS deliveries
FROM merge_plan
GROUP BY action
